"""AWS VPC flow logs, versions 2 to 5: text, with or without a header, and Parquet.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.layout import Headerless

_DEFAULT = (
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport"),
    *("protocol", "packets", "bytes", "start", "end", "action", "log-status"),
)
_RECORD = r"2( \S+){12} (OK|NODATA|SKIPDATA)$"
AWS_VPC = Format(
    name="aws-vpc",
    title="AWS VPC flow log",
    signature=(
        (
            *("interface-id", "interface_id", "account-id", "account_id"),
            *("protocol", "start", "action", "log-status", "log_status"),
        ),
    ),
    endpoints=(
        Endpoints("srcaddr", "dstaddr"),
        Endpoints("pkt-srcaddr", "pkt-dstaddr"),
        Endpoints("pkt_srcaddr", "pkt_dstaddr"),
    ),
    columns=(
        FieldMapping("start_time", "time", ("start",), unit="s"),
        FieldMapping("end_time", "time", ("end",), unit="s"),
        FieldMapping("src_port", "port", ("srcport",)),
        FieldMapping("dst_port", "port", ("dstport",)),
        FieldMapping("protocol", "protocol", ("protocol",)),
        FieldMapping("src_bytes", "count", ("bytes",)),
        FieldMapping("src_packets", "count", ("packets",)),
        FieldMapping("flows", "one", unless=(("action", ("REJECT",)),)),
        FieldMapping("denied_flows", "one", when=(("action", ("REJECT",)),)),
        FieldMapping(
            "reported_direction",
            "direction",
            ("flow-direction", "flow_direction"),
            values=(("ingress", "inbound"), ("egress", "outbound")),
        ),
        FieldMapping("tcp_flags", "flags", ("tcp-flags", "tcp_flags")),
        FieldMapping("host", "text", ("interface-id", "interface_id")),
    ),
    nulls=("-",),
    translated=(
        ("srcaddr", "pkt-srcaddr"),
        ("dstaddr", "pkt-dstaddr"),
        ("srcaddr", "pkt_srcaddr"),
        ("dstaddr", "pkt_dstaddr"),
    ),
    actions=(("action", ("ACCEPT", "REJECT")),),
    keep=(("log-status", ("OK",)), ("log_status", ("OK",))),
    headerless=(
        Headerless(_RECORD, _DEFAULT, " "),
        Headerless(r"\d{4}-\d\d-\d\dT\S+ " + _RECORD, ("@timestamp", *_DEFAULT), " "),
    ),
    exporters=True,
    limits=(
        "records are unidirectional; stitch=True merges them",
        "records cover 1 or 10 minutes, so a long flow counts once in each",
        "SKIPDATA records stand for flows that AWS did not record",
    ),
)
