"""The jobs, by the name that the command line takes."""

from benchmarks.jobs import asn, index, run, summary, timeline, top_n

JOBS = {
    "index": index.JOB,
    "timeline": timeline.JOB,
    "top_n": top_n.JOB,
    "asn": asn.JOB,
    "summary": summary.JOB,
    "run": run.JOB,
}
