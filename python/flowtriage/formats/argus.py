"""Argus, as `ra -c ,` writes it; the binetflow files of the CTU-13 data set.

Source: https://openargus.org/oldsite/man/ra.1.pdf
"""

from flowtriage.formats.declaration import Column, Ends, Format

ARGUS = Format(
    name="argus",
    title="Argus",
    signature=(("StartTime", "LastTime"), ("Dur", "Dir", "TotBytes", "SrcBytes", "State")),
    ends=(Ends("SrcAddr", "DstAddr"),),
    columns=(
        Column("start_time", "time", ("StartTime",), unit="s"),
        Column("end_time", "time", ("LastTime",), unit="s"),
        Column("end_time", "duration", ("Dur",), unit="s"),
        Column("src_port", "port", ("Sport",)),
        Column("dst_port", "port", ("Dport",)),
        Column("protocol", "protocol", ("Proto",)),
        Column("src_bytes", "count", ("SrcBytes",)),
        Column("dst_bytes", "count", ("DstBytes",)),
        Column("dst_bytes", "difference", (("TotBytes", "SrcBytes"),)),
        Column("src_packets", "count", ("SrcPkts",)),
        Column("dst_packets", "count", ("DstPkts",)),
        Column("dst_packets", "difference", (("TotPkts", "SrcPkts"),)),
        Column("flows", "one"),
        Column("state", "text", ("State",)),
    ),
    reversed=(("Dir", ("<-", "<?")),),
    zoneless=True,
    limits=(
        "no packets of each end where the log has only TotPkts",
        "bytes are those of link-layer frames",
    ),
)
