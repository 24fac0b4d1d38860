"""Apache Spot: the table `flow`, and the ranked `flow_results.csv`.

Source: https://github.com/apache/incubator-spot (spot-setup, spot-ml)
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.layout import Headerless

_ENDPOINTS = (Endpoints("sip", "dip"),)
_UNIDIRECTIONAL = ("0",)
_COLUMNS = (
    FieldMapping("start_time", "time", ("treceived", "unix_tstamp"), unit="s"),
    FieldMapping("end_time", "duration", ("tdur",), unit="s"),
    FieldMapping("src_port", "port", ("sport",), unit="icmp"),
    FieldMapping("dst_port", "port", ("dport",), unit="icmp"),
    FieldMapping("protocol", "protocol", ("proto",)),
    FieldMapping("src_bytes", "count", ("ibyt",)),
    FieldMapping("dst_bytes", "count", ("obyt",), nulls=_UNIDIRECTIONAL),
    FieldMapping("src_packets", "count", ("ipkt",)),
    FieldMapping("dst_packets", "count", ("opkt",), nulls=_UNIDIRECTIONAL),
    FieldMapping("flows", "one"),
    FieldMapping("tcp_flags", "flags", ("flag",)),
    FieldMapping("host", "text", ("rip",), nulls=("0.0.0.0", "::")),  # noqa: S104
)
_RESULTS = (
    *("treceived", "tryear", "trmonth", "trday", "trhour", "trminute", "trsec", "tdur"),
    *("sip", "dip", "sport", "dport", "proto", "ipkt", "ibyt", "opkt", "obyt", "score"),
)
_LIMITS = ("records are unidirectional unless the exporter sends biflows",)
SPOT = Format(
    name="spot",
    title="Spot flow",
    signature=(("treceived", "unix_tstamp"), ("ibyt", "ipkt")),
    endpoints=_ENDPOINTS,
    columns=_COLUMNS,
    nulls=("NULL", r"\N"),
    zoneless=True,
    exporters=True,
    limits=_LIMITS,
)
SPOT_RESULTS = Format(
    name="spot-results",
    title="Spot flow_results.csv",
    signature=("treceived", "score"),
    endpoints=_ENDPOINTS,
    columns=(*_COLUMNS, FieldMapping("score", "number", ("score",))),
    nulls=("NULL", r"\N"),
    headerless=(
        Headerless(r"\d{4}-\d\d-\d\d[ T][\d:.]+\t(\d+\t){6}[^\t]+(\t[^\t]*){10}$", _RESULTS, "\t"),
    ),
    zoneless=True,
    limits=(*_LIMITS, "only the flows that Spot ranked, most suspicious (lowest score) first"),
)
