"""Real logs, below the folder of real data."""

REAL = [
    "argus/slips_test3-mixed.binetflow",
    "aws_vpc/drewpy_eks_2024-12-20_cwlogs.txt",
    "azure_nsg/danifitz_2020_PT1H.json",
    "azure_nta/az_net_flows_2019-02-12_13.csv",
    "azure_vnet/csp451_2026_PT1H.json",
    "azure_vnet/elastic_docs_sample_vnet_2022.json",
    "netflow/slips_test1.nfdump171.csv",
    "netflow/vast_example.nfdump171.csv",
    "suricata/alaajili_2022_eve.json",
    "suricata/vast_example_eve.json.gz",
    "zeek/otrf_apt29_day1_NASHUA_conn.log",
    "zeek/vast_ctu_conn.log.json.gz",
    "zeek/vast_example_conn.log.gz",
    "zeek/vast_m57_conn.log.gz",
    "zeek/zat_conn.json.log",
    "zeek/zat_conn.log",
    "zeek/zat_conn_date_issue.log",
]
