"""Times are read as msticpy reads them: strings, periods, objects and widgets."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from flowtriage.errors import ArgumentError
from flowtriage.inputs.times import parse_time
from flowtriage.inputs.timespan import Timespan, as_msticpy, parse_timespan

DAY = datetime(2024, 5, 1, tzinfo=UTC)
TEN = DAY + timedelta(hours=10)
PARIS = timezone(timedelta(hours=2))
LAST = timedelta(days=1, microseconds=-1)
MONTHS = ["2024-05", "2024/05", "05/2024", "May 2024"]
DATES = ["2024-05-01", "20240501", "May 1 2024", "1 May 2024", "05/01/2024", "2024/05/01"]
MOMENTS = [
    "2024-05-01 10:00",
    "2024-05-01T10:00Z",
    "2024-05-01T12:00:00+02:00",
    "May 1 2024 10:00",
    "1 May 2024 10am",
    "Wed, 01 May 2024 10:00:00 GMT",
    "2024-05-01T10:00:00.000000000Z",
    "20240501T100000",
]
extra = pytest.mark.extra


def ends(start: Any, end: Any) -> tuple[datetime | None, datetime | None]:
    span = parse_timespan(start=start, end=end)
    assert span is not None
    return span.start, span.end


@extra
@pytest.mark.parametrize("text", DATES)
def test_a_date_alone_is_its_day(text: str) -> None:
    assert ends(text, text) == (DAY, DAY + LAST)


@extra
@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_is_itself(text: str) -> None:
    assert ends(text, text) == (TEN, TEN)


@extra
def test_a_week_month_quarter_or_year_alone_is_the_whole_of_it() -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")

    def until(year: int, month: int, day: int) -> datetime:
        return datetime(year, month, day, tzinfo=UTC) + LAST

    for month in (*MONTHS, np.datetime64("2024-05"), pd.Period("2024-05")):
        assert ends(month, month) == (DAY, until(2024, 5, 31))
    for year in ("2024", np.datetime64("2024"), pd.Period("2024")):
        assert ends(year, year) == (datetime(2024, 1, 1, tzinfo=UTC), until(2024, 12, 31))
    for february, right in (("2024-02", until(2024, 2, 29)), ("Feb 2023", until(2023, 2, 28))):
        assert ends(None, february)[1] == right
    for week in ("2024-W18", "2024W18"):
        assert ends(week, week) == (datetime(2024, 4, 29, tzinfo=UTC), until(2024, 5, 5))
    assert ends("2024Q2", "2024Q2") == (datetime(2024, 4, 1, tzinfo=UTC), until(2024, 6, 30))
    assert ends("9999", "9999")[1] == datetime.max.replace(tzinfo=UTC)


@extra
@pytest.mark.parametrize(
    "text",
    ["2024-05-01+02:00", "2024-05-01-02:00", "2024-05-01Z", "May 1 2024 +02:00", "2024-05+02:00"],
)
def test_a_date_alone_has_no_zone(text: str) -> None:
    for one in ({"start": text}, {"end": text}):
        with pytest.raises(ArgumentError, match="is not a time"):
            parse_timespan(**one)  # type: ignore[arg-type]


@extra
def test_spans_of_pandas_and_slices() -> None:
    pd = pytest.importorskip("pandas")
    micro = timedelta(microseconds=1)
    assert parse_timespan(pd.Period("2024-05-01")) == Timespan(DAY, DAY + LAST)
    assert parse_timespan(pd.Period("2024-05-01 10:00", freq="h")) == Timespan(
        TEN, TEN + timedelta(hours=1) - micro
    )
    for zone in (None, "UTC"):
        start, end = pd.Timestamp("2024-05-01", tz=zone), pd.Timestamp("2024-05-01 10:00", tz=zone)
        for closed, right in (
            ("both", Timespan(DAY, TEN)),
            ("left", Timespan(DAY, TEN - micro)),
            ("right", Timespan(DAY + micro, TEN)),
            ("neither", Timespan(DAY + micro, TEN - micro)),
        ):
            assert parse_timespan(pd.Interval(start, end, closed=closed)) == right
    with pytest.raises(ArgumentError, match="start 1 is not a time"):
        parse_timespan(pd.Interval(1, 2))
    whole = slice("2024-05-01", "2024-05-01")
    assert parse_timespan(whole) == Timespan(DAY, DAY + LAST)  # type: ignore[arg-type]
    assert parse_timespan(slice(DAY, None)) == Timespan(DAY, None)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="has a step"):
        parse_timespan(slice(DAY, TEN, 2))  # type: ignore[arg-type]


@extra
def test_offsets_of_the_calendar_are_periods() -> None:
    pd = pytest.importorskip("pandas")

    def span(**parts: Any) -> Timespan | None:
        return parse_timespan(SimpleNamespace(**parts))

    month = pd.DateOffset(months=1)
    assert span(start=DAY, period=pd.DateOffset(days=1)) == Timespan(DAY, DAY + timedelta(days=1))
    assert span(start=DAY, period=pd.offsets.Hour(10)) == Timespan(DAY, TEN)
    for end, start in (("2024-05-31", DAY), ("2024-04-30", datetime(2024, 4, 1, tzinfo=UTC))):
        found = span(end=end, period=month)
        assert found is not None
        assert (found.start, found.end) == (start, ends(None, end)[1])
    for parts in ({"start": DAY}, {"end": DAY}):
        for period in (timedelta(days=9_999_999), timedelta.max, pd.DateOffset(years=9_000)):
            with pytest.raises(ArgumentError, match="out of the years|is not a period"):
                span(**parts, period=period)


@extra
def test_midnight_is_not_a_date_alone() -> None:
    assert ends("May 1 2024", "May 2 2024 00:00") == (DAY, DAY + timedelta(days=1))
    assert ends(DAY, DAY) == (DAY, DAY)


@extra
@pytest.mark.parametrize("text", [*DATES, *MOMENTS])
def test_msticpy_reads_the_same_start(text: str) -> None:
    TimeSpan = pytest.importorskip("msticpy.common.timespan").TimeSpan
    theirs = parse_timespan(TimeSpan(start=text, period="1D"))
    assert theirs == parse_timespan(start=text, end=ends(text, None)[0] + timedelta(days=1))  # type: ignore[operator]


@extra
def test_values_of_pandas_and_numpy() -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    for value in (
        TEN,
        TEN.replace(tzinfo=None),
        TEN.astimezone(PARIS),
        pd.Timestamp(TEN),
        pd.Timestamp("2024-05-01 10:00"),
        pd.Timestamp("2024-05-01 12:00", tz="Europe/Paris"),
        np.datetime64("2024-05-01T10:00"),
        np.datetime64("2024-05-01T10:00:00.000000000"),
    ):
        assert ends(value, value) == (TEN, TEN)
    assert ends(date(2024, 5, 1), date(2024, 5, 1)) == (DAY, DAY + LAST)
    for missing in (pd.NaT, pd.NA, np.datetime64("NaT"), float("nan")):
        with pytest.raises(ArgumentError, match="start .* is not a time"):
            ends(missing, None)


@extra
@pytest.mark.parametrize(
    "wrong",
    ["", "soon", "nat", "2024-05-01 10:00 EST", "2024-13-01", 7, ["2024-05-01"], "9" * 400],
)
def test_what_is_no_time_is_refused(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="end .* is not a time; give a datetime") as error:
        parse_timespan(end=wrong)
    assert len(str(error.value)) < 400


def test_now_is_utc_whatever_the_zone_of_the_machine() -> None:
    code = (
        "from datetime import UTC, datetime\n"
        "from flowtriage.inputs.timespan import parse_timespan as p\n"
        "print(abs((p(start='now').start - datetime.now(UTC)).total_seconds()) < 60)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"TZ": "America/New_York"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


@extra
def test_periods() -> None:
    pd, np = pytest.importorskip("pandas"), pytest.importorskip("numpy")
    day = timedelta(days=1)
    for period in ("1d", "1D", "24 hours", day, pd.Timedelta("1d"), np.timedelta64(24, "h")):
        from_start = parse_timespan(SimpleNamespace(start="2024-05-01", period=period))
        assert from_start == Timespan(DAY, DAY + day)
        to_end = parse_timespan(SimpleNamespace(end=DAY + day, period=period))
        assert to_end == from_start
        before = datetime.now(UTC)
        alone = parse_timespan(SimpleNamespace(period=period))
        assert alone is not None
        assert alone.period == day
        assert alone.end is not None
        assert before <= alone.end <= datetime.now(UTC)
    assert parse_timespan(SimpleNamespace(end="2024-05-01", period="1d")) == Timespan(
        DAY, DAY + LAST
    )
    for wrong in ("x", 7, pd.NaT, pd.NA, ""):
        with pytest.raises(ArgumentError, match="period .* is not a period"):
            parse_timespan(SimpleNamespace(start=DAY, period=wrong))
    with pytest.raises(ArgumentError, match="is before"):
        parse_timespan(SimpleNamespace(start=DAY, period="-1d"))


def test_objects_with_some_of_start_end_and_period() -> None:
    started = parse_timespan(SimpleNamespace(start=DAY))
    assert started is not None
    assert started.start == DAY
    assert started.end is not None
    assert (datetime.now(UTC) - started.end) < timedelta(minutes=5)
    both = SimpleNamespace(start=DAY, end=TEN, period=timedelta(hours=1))
    assert parse_timespan(both) == Timespan(DAY, DAY + timedelta(hours=1))
    assert parse_timespan(SimpleNamespace(start=DAY), end=TEN) == Timespan(DAY, TEN)
    for nothing in (SimpleNamespace(), SimpleNamespace(start=None), "1d", 7, object(), "abc".join):
        with pytest.raises(ArgumentError, match="has neither start nor end nor period"):
            parse_timespan(nothing)  # type: ignore[arg-type]


@extra
@pytest.mark.parametrize("naive", [False, True])
def test_objects_and_widgets_of_msticpy(naive: bool) -> None:
    TimeSpan = pytest.importorskip("msticpy.common.timespan").TimeSpan
    from msticpy.nbwidgets import Lookback, QueryTime

    start, end = (t.replace(tzinfo=None) if naive else t.astimezone(PARIS) for t in (DAY, TEN))
    wanted = Timespan(DAY, TEN)
    assert parse_timespan(TimeSpan(start=start, end=end)) == wanted
    assert parse_timespan(TimeSpan(end=end, period="10h")) == wanted
    hours = {"units": "hour", "origin_time": end}
    widget = QueryTime(**hours, before=10, after=0)
    assert parse_timespan(widget) == parse_timespan(widget.timespan) == wanted
    assert parse_timespan(Lookback(**hours, default=10)) == wanted
    assert parse_timespan(TimeSpan(start=DAY.replace(tzinfo=None), end=TEN)) == wanted


@extra
def test_a_timespan_of_msticpy_from_a_start_without_a_zone_until_now() -> None:
    TimeSpan = pytest.importorskip("msticpy.common.timespan").TimeSpan
    theirs = TimeSpan(start="2024-05-01 10:00")
    span = parse_timespan(theirs)
    assert span is not None
    assert (span.start, span.end) == (TEN, theirs.end)


@extra
def test_a_timespan_of_msticpy_is_equal() -> None:
    TimeSpan = pytest.importorskip("msticpy.common.timespan").TimeSpan
    assert as_msticpy(Timespan(DAY, TEN)) == TimeSpan(start=DAY, end=TEN)
    for open_span in (Timespan(DAY, None), Timespan(None, TEN), None):
        assert as_msticpy(open_span) is open_span


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("01.03.2025", "2025-03-01", "2025-01-03"),
        ("3.4.2025", "2025-04-03", "2025-03-04"),
        ("3. 4. 2025", "2025-04-03", "2025-03-04"),
        ("3-4-2025 10:00", "2025-04-03", "2025-03-04"),
        ("03.04.25", "2025-04-03", "2025-03-04"),
        ("10:00 3.4.2025", "2025-04-03", "2025-03-04"),
        ("Thu 3.4.2025", "2025-04-03", "2025-03-04"),
    ],
)
@pytest.mark.parametrize("name", ["start", "end"])
def test_a_date_with_either_order_of_day_and_month_is_an_error_with_both_readings(
    text: str, day_first: str, month_first: str, name: Any
) -> None:
    message = (
        f"{name} '{text}' is ambiguous: day or month first; write {day_first} or {month_first}"
    )
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
        parse_time(text, name)


@pytest.mark.parametrize("text", ["0.4.2025", "13.13.2025", "3.4.0000", "99.99.2025"])
def test_a_date_that_is_none_is_no_time(text: str) -> None:
    with pytest.raises(ArgumentError, match="is not a time"):
        parse_time(text, "start")


@pytest.mark.extra
def test_a_date_whose_numbers_show_the_order_is_read() -> None:
    pytest.importorskip("pandas")
    for text in ("4/13/2025", "13/4/2025", "13.04.2025"):
        assert parse_time(text, "start") == datetime(2025, 4, 13, tzinfo=UTC)
    assert parse_time("4/4/2025", "start") == datetime(2025, 4, 4, tzinfo=UTC)
