"""Google Cloud VPC flow logs, as Cloud Logging exports them.

Source: https://cloud.google.com/vpc/docs/about-flow-logs-records
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format

GCP_VPC = Format(
    name="gcp-vpc",
    title="Google Cloud VPC flow log",
    signature=(("jsonPayload.reporter", "jsonPayload.bytes_sent", "reporter", "bytes_sent"),),
    endpoints=(
        Endpoints("jsonPayload.connection.src_ip", "jsonPayload.connection.dest_ip"),
        Endpoints("connection.src_ip", "connection.dest_ip"),
    ),
    columns=(
        FieldMapping("start_time", "time", ("jsonPayload.start_time", "start_time"), unit="s"),
        FieldMapping("end_time", "time", ("jsonPayload.end_time", "end_time"), unit="s"),
        FieldMapping(
            "src_port", "port", ("jsonPayload.connection.src_port", "connection.src_port")
        ),
        FieldMapping(
            "dst_port", "port", ("jsonPayload.connection.dest_port", "connection.dest_port")
        ),
        FieldMapping(
            "protocol", "protocol", ("jsonPayload.connection.protocol", "connection.protocol")
        ),
        FieldMapping("src_bytes", "count", ("jsonPayload.bytes_sent", "bytes_sent")),
        FieldMapping("src_packets", "count", ("jsonPayload.packets_sent", "packets_sent")),
        FieldMapping("flows", "one"),
        FieldMapping("host", "text", ("jsonPayload.reporter", "reporter")),
    ),
    exporters=True,
    limits=(
        "records are unidirectional; stitch=True merges them",
        "records are sampled: bytes and packets are estimates",
        "host is the reporting endpoint (SRC, DEST)",
        "no denied connections",
    ),
)
