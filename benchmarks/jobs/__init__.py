"""Jobs by their command-line names."""

from benchmarks.jobs import (
    asn,
    from_log,
    index,
    read,
    run,
    search,
    summary,
    tables,
    timeline,
    top_n,
)

JOBS = {
    "read_zeek": read.ZEEK,
    "read_aws": read.AWS,
    "host_run": from_log.HOST_RUN,
    "top_log": from_log.TOP,
    "index_log": from_log.INDEX,
    "index_json": from_log.INDEX_JSON,
    "index_gzip": from_log.INDEX_PACKED,
    "index": index.JOB,
    "azure_arrow": tables.AZURE_ARROW,
    "azure_parquet": tables.AZURE_PARQUET,
    "azure_pandas": tables.AZURE_PANDAS,
    "azure_pandas_arrow": tables.AZURE_PANDAS_ARROW,
    "canonical_parquet": tables.CANONICAL_PARQUET,
    "timeline": timeline.JOB,
    "top_n": top_n.JOB,
    "search": search.JOB,
    "asn": asn.JOB,
    "summary": summary.JOB,
    "run": run.JOB,
}
