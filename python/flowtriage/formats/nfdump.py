"""nfdump's CSV: old (`-o csv` before 1.7.5), new, in any order of tags, and `-o csv-fast`.

Source: https://github.com/phaag/nfdump (src/output)
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.layout import Trailer

_ENDPOINTS = (Endpoints("sa", "da"), Endpoints("srcAddr", "dstAddr"))
_UNIDIRECTIONAL = ("0",)
_COLUMNS = (
    FieldMapping("src_port", "port", ("sp", "srcPort"), unit="icmp"),
    FieldMapping("dst_port", "port", ("dp", "dstPort"), unit="icmp"),
    FieldMapping("protocol", "protocol", ("pr", "proto")),
    FieldMapping("src_bytes", "count", ("ibyt", "bytes", "inBytes")),
    FieldMapping("dst_bytes", "count", ("obyt", "outBytes"), nulls=_UNIDIRECTIONAL),
    FieldMapping("src_packets", "count", ("ipkt", "packets", "inPackets")),
    FieldMapping("dst_packets", "count", ("opkt", "outPackets"), nulls=_UNIDIRECTIONAL),
    FieldMapping("tcp_flags", "flags", ("flg", "flags")),
    FieldMapping("host", "text", ("ra", "routerIP", "exporterID"), nulls=("0.0.0.0", "::")),  # noqa: S104
)
_TOTALS = (("flows", ("flows",)), ("bytes", ("src_bytes",)), ("packets", ("src_packets",)))
_TRAILER = Trailer("Summary", _TOTALS)
_LIMITS = (
    "records are unidirectional unless the exporter sends biflows; stitch=True merges them",
    "a long flow has several records, one for each active timeout of the exporter",
    "the sampling rate is unknown, and counters are not scaled by it",
)
NFDUMP = Format(
    name="nfdump",
    title="nfdump CSV",
    signature=(
        (
            *("ts", "te", "td", "firstSeen", "lastSeen", "received", "duration"),
            *("ibyt", "ipkt", "bytes", "packets", "inBytes", "inPackets"),
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
