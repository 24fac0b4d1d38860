"""nfdump's CSV: old (`-o csv` before 1.7.5), new, in any order of tags, and `-o csv-fast`.

Source: https://github.com/phaag/nfdump (src/output)
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format, Trailer

_ENDPOINTS = (Endpoints("sa", "da"), Endpoints("srcAddr", "dstAddr"))
_NO_ANSWER = ("0",)
_COLUMNS = (
    FieldMapping("src_port", "port", ("sp", "srcPort"), unit="icmp"),
    FieldMapping("dst_port", "port", ("dp", "dstPort"), unit="icmp"),
    FieldMapping("protocol", "protocol", ("pr", "proto")),
    FieldMapping("src_bytes", "count", ("ibyt", "bytes", "inBytes")),
    FieldMapping("dst_bytes", "count", ("obyt", "outBytes"), nulls=_NO_ANSWER),
    FieldMapping("src_packets", "count", ("ipkt", "packets", "inPackets")),
    FieldMapping("dst_packets", "count", ("opkt", "outPackets"), nulls=_NO_ANSWER),
    FieldMapping("tcp_flags", "flags", ("flg", "flags")),
    FieldMapping("host", "text", ("ra", "routerIP", "exporterID"), nulls=("0.0.0.0", "::")),  # noqa: S104
)
_TRAILER = Trailer(
    "Summary",
    (
        ("flows", ("flows",)),
        ("bytes", ("src_bytes",)),
        ("packets", ("src_packets",)),
    ),
)
_LIMITS = (
    "records are of one direction each where the exporter is not bidirectional; stitch=True "
    "joins them",
    "a long flow is in several records, one for each time that the exporter's timer ran out",
    "what packets were sampled at is not told, and counts are not scaled by it",
)
NFDUMP = Format(
    name="nfdump",
    title="nfdump CSV",
    signature=(
        (
            "ts",
            "te",
            "td",
            "firstSeen",
            "lastSeen",
            "received",
            "duration",
            "ibyt",
            "ipkt",
            "bytes",
            "packets",
            "inBytes",
            "inPackets",
        ),
    ),
    endpoints=_ENDPOINTS,
    columns=(
        FieldMapping("start_time", "time", ("ts", "firstSeen", "received"), unit="s"),
        FieldMapping("end_time", "time", ("te", "lastSeen"), unit="s"),
        FieldMapping("end_time", "duration", ("td", "duration"), unit="s"),
        FieldMapping("flows", "count", ("flows",)),
        FieldMapping("flows", "one"),
        *_COLUMNS,
    ),
    trailer=_TRAILER,
    zoneless=True,
    exporters=True,
    limits=_LIMITS,
)
NFDUMP_FAST = Format(
    name="nfdump-fast",
    title="nfdump csv-fast",
    signature=("cnt", "af", "firstSeen"),
    endpoints=_ENDPOINTS,
    columns=(
        FieldMapping("start_time", "time", ("firstSeen",), unit="ms"),
        FieldMapping("end_time", "time", ("lastSeen",), unit="ms"),
        FieldMapping("flows", "one"),
        *_COLUMNS,
    ),
    trailer=_TRAILER,
    limits=_LIMITS,
)
