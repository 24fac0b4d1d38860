"""Jobs by their command-line names."""

from benchmarks.jobs import asn, index, read, run, search, summary, timeline, top_n

JOBS = {
    "read_zeek": read.ZEEK,
    "read_aws": read.AWS,
    "stream": read.STREAM,
    "index": index.JOB,
    "timeline": timeline.JOB,
    "top_n": top_n.JOB,
    "search": search.JOB,
    "asn": asn.JOB,
    "summary": summary.JOB,
    "run": run.JOB,
}
