"""Log formats, one declaration each."""

from flowtriage.formats.argus import ARGUS
from flowtriage.formats.asim import ASIM
from flowtriage.formats.aws_vpc import AWS_VPC
from flowtriage.formats.azure_network_analytics import AZURE_NETWORK_ANALYTICS
from flowtriage.formats.azure_nsg import AZURE_NSG
from flowtriage.formats.azure_nta import AZURE_NTA
from flowtriage.formats.azure_vnet import AZURE_VNET
from flowtriage.formats.canonical import CANONICAL
from flowtriage.formats.declaration import Format
from flowtriage.formats.gcp_vpc import GCP_VPC
from flowtriage.formats.nfdump import NFDUMP, NFDUMP_FAST
from flowtriage.formats.ocsf import OCSF
from flowtriage.formats.spot import SPOT, SPOT_RESULTS
from flowtriage.formats.suricata import SURICATA
from flowtriage.formats.zeek import ZEEK

FORMATS: tuple[Format, ...] = (
    CANONICAL,
    ZEEK,
    AZURE_NTA,
    AZURE_NETWORK_ANALYTICS,
    AZURE_NSG,
    AZURE_VNET,
    AWS_VPC,
    GCP_VPC,
    SURICATA,
    ARGUS,
    NFDUMP_FAST,
    NFDUMP,
    SPOT_RESULTS,
    SPOT,
    ASIM,
    OCSF,
)
"""All formats, in detection order."""
__all__ = ["FORMATS", "Format"]
