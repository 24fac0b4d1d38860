"""Argus CSV, from `ra -c ,`, such as the binetflow files of the CTU-13 data set.

Source: https://openargus.org/oldsite/man/ra.1.pdf
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.initiator import Initiator

ARGUS = Format(
    name="argus",
    title="Argus",
    signature=(("StartTime", "LastTime"), ("Dur", "Dir", "TotBytes", "SrcBytes", "State")),
    endpoints=(Endpoints("SrcAddr", "DstAddr"),),
    columns=(
        FieldMapping("start_time", "time", ("StartTime",), unit="s"),
        FieldMapping("end_time", "time", ("LastTime",), unit="s"),
        FieldMapping("end_time", "duration", ("Dur",), unit="s"),
        FieldMapping("src_port", "port", (("Sport", "Proto"),), unit="name"),
        FieldMapping("src_port", "port", ("Sport",)),
        FieldMapping("dst_port", "port", (("Dport", "Proto"),), unit="name"),
        FieldMapping("dst_port", "port", ("Dport",)),
        FieldMapping("protocol", "protocol", ("Proto",)),
        FieldMapping("src_bytes", "count", ("SrcBytes",)),
        FieldMapping("src_bytes", "difference", (("TotBytes", "DstBytes"),)),
        FieldMapping("src_bytes", "total", ("TotBytes",)),
        FieldMapping("dst_bytes", "count", ("DstBytes",)),
        FieldMapping("dst_bytes", "difference", (("TotBytes", "SrcBytes"),)),
        FieldMapping("src_packets", "count", ("SrcPkts",)),
        FieldMapping("src_packets", "difference", (("TotPkts", "DstPkts"),)),
        FieldMapping("dst_packets", "count", ("DstPkts",)),
        FieldMapping("dst_packets", "difference", (("TotPkts", "SrcPkts"),)),
        FieldMapping("flows", "one"),
        FieldMapping("state", "text", ("State",)),
    ),
    initiator=Initiator(
        reversed=(("Dir", ("<-", "<|", "<o")),), unassigned=(("Dir", ("?>", "<?", "<?>")),)
    ),
    zoneless=True,
    limits=(
        "no packets per endpoint if the log has only TotPkts",
        "bytes include link-layer headers",
    ),
)
