"""Google Cloud VPC flow logs, as Cloud Logging exports them.

Source: https://cloud.google.com/vpc/docs/about-flow-logs-records
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format


def _paths(name: str) -> tuple[str, str]:
    """Return the path of a field in the log entry, and in its payload alone."""
    return f"jsonPayload.{name}", name


GCP_VPC = Format(
    name="gcp-vpc",
    title="Google Cloud VPC flow log",
    signature=((*_paths("reporter"), *_paths("bytes_sent")),),
    endpoints=(
        Endpoints("jsonPayload.connection.src_ip", "jsonPayload.connection.dest_ip"),
        Endpoints("connection.src_ip", "connection.dest_ip"),
    ),
    columns=(
        FieldMapping("start_time", "time", _paths("start_time"), unit="s"),
        FieldMapping("end_time", "time", _paths("end_time"), unit="s"),
        FieldMapping("src_port", "port", _paths("connection.src_port")),
        FieldMapping("dst_port", "port", _paths("connection.dest_port")),
        FieldMapping("protocol", "protocol", _paths("connection.protocol")),
        FieldMapping("src_bytes", "count", _paths("bytes_sent")),
        FieldMapping("src_packets", "count", _paths("packets_sent")),
        FieldMapping("flows", "one"),
        FieldMapping("host", "text", _paths("reporter")),
    ),
    exporters=True,
    limits=(
        "records are unidirectional; stitch=True merges them",
        "records are sampled: bytes and packets are estimates",
        "host is the reporting endpoint (SRC, DEST)",
        "no denied connections",
    ),
)
