"""Values of objectives, computed from samples by nothing that warroom or Prometheus has: rate, increase and quantile are written from their definitions.

Reads {"samples": FILE, "asks": [{"id": ID, "window": SECONDS, "times": [SECONDS, …]}]} from stdin; prints {ID/WINDOW: [VALUE or null, …]}.
"""
import bisect, json, re, sys

LINE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+) (\S+)$')
LOOKBACK = 300


def read(path):
    series = {}
    for line in open(path):
        found = LINE.match(line.strip())
        if found:
            name, labels, value, at = found.groups()
            labels = dict(re.findall(r'(\w+)="([^"]*)"', labels or ""))
            series.setdefault((name, tuple(sorted(labels.items()))), ([], []))
            times, values = series[(name, tuple(sorted(labels.items())))]
            times.append(float(at))
            values.append(float(value))
    return series


ask = json.load(sys.stdin)
SERIES = read(ask["samples"])


def of(name, **wanted):
    """The series of a name whose labels match, each pattern whole."""
    for (known, labels), samples in SERIES.items():
        labels = dict(labels)
        if known == name and all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in wanted.items()):
            yield labels, samples


def instant(samples, at):
    times, values = samples
    place = bisect.bisect_right(times, at) - 1
    return values[place] if place >= 0 and times[place] > at - LOOKBACK - 1e-9 else None


def increase(samples, at, window):
    """As the documentation of Prometheus has it: resets added, extrapolated to the ends of the window, but not further than half a step, nor below zero."""
    times, values = samples
    low, high = bisect.bisect_left(times, at - window), bisect.bisect_right(times, at)
    if high - low < 2:
        return None
    first, last = times[low], times[high - 1]
    gained, before = values[high - 1] - values[low], values[low]
    for value in values[low:high]:
        gained += before if value < before else 0
        before = value
    step = (last - first) / (high - low - 1)
    start, end = first - (at - window), at - last
    if gained > 0 and values[low] >= 0:
        start = min(start, (last - first) * values[low] / gained)
    length = last - first
    length += start if start < step * 1.1 else step / 2
    length += end if end < step * 1.1 else step / 2
    return gained * length / (last - first)


def rate(samples, at, window):
    gained = increase(samples, at, window)
    return None if gained is None else gained / window


def total(name, at, window, what=rate, **wanted):
    """The sum over all series that have a value."""
    each = [what(samples, at, window) for _, samples in of(name, **wanted)]
    each = [one for one in each if one is not None]
    return sum(each) if each else None


def ratio(part, whole):
    return None if part is None or whole is None else (part / whole if whole else float("nan"))


def quantile(q, name, at, window, **wanted):
    buckets = {}
    for labels, samples in of(name, **wanted):
        one = rate(samples, at, window)
        if one is not None:
            bound = float(labels["le"].replace("+Inf", "inf"))
            buckets[bound] = buckets.get(bound, 0) + one
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] == 0:
        return float("nan") if bounds else None
    rank = q * buckets[bounds[-1]]
    place = next(at for at, bound in enumerate(bounds) if buckets[bound] >= rank)
    if place == len(bounds) - 1:
        return bounds[-2]
    low = 0 if place == 0 else bounds[place - 1]
    below = 0 if place == 0 else buckets[low]
    return low + (bounds[place] - low) * (rank - below) / (buckets[bounds[place]] - below)


def now(name, at, fold, **wanted):
    each = [instant(samples, at) for _, samples in of(name, **wanted)]
    each = [one for one in each if one is not None]
    return fold(each) if each else None


def less(one, other):
    return None if one is None or other is None else one - other


OBJECTIVES = {
    # Service level objectives as sloth, pyrra and OpenSLO write them.
    "sloth-availability": lambda t, w: ratio(total("http_requests_total", t, w, code="5..|429"), total("http_requests_total", t, w)),
    "sloth-latency": lambda t, w: less(1, ratio(total("http_seconds_bucket", t, w, le="0.3"), total("http_seconds_bucket", t, w, le=r"\+Inf"))),
    "pyrra-grpc": lambda t, w: ratio(total("grpc_server_handled_total", t, w, grpc_code="Unavailable|Internal"), total("grpc_server_handled_total", t, w)),
    "pyrra-latency": lambda t, w: ratio(
        less(total("http_seconds_bucket", t, w, le=r"\+Inf"), total("http_seconds_bucket", t, w, le="1.0")), total("http_seconds_bucket", t, w, le=r"\+Inf")
    ),
    "openslo-good-bad": lambda t, w: less(1, ratio(total("http_requests_total", t, w, code="2..|404"), total("http_requests_total", t, w))),
    # Alerts of the mixins as thresholds.
    "p99": lambda t, w: quantile(0.99, "http_seconds_bucket", t, w),
    "p50": lambda t, w: quantile(0.5, "http_seconds_bucket", t, w),
    "etcd-fsync": lambda t, w: quantile(0.99, "etcd_disk_wal_fsync_duration_seconds_bucket", t, w),
    "etcd-leader-changes": lambda t, w: total("etcd_server_leader_changes_seen_total", t, 3600, increase),
    "etcd-members": lambda t, w: now("up", t, sum, job="etcd"),
    "node-cpu": lambda t, w: less(1, ratio(total("node_cpu_seconds_total", t, w, mode="idle"), 2)),
    "node-disk": lambda t, w: less(1, ratio(now("node_filesystem_avail_bytes", t, sum), now("node_filesystem_size_bytes", t, sum))),
    "node-free": lambda t, w: now("node_filesystem_avail_bytes", t, min),
    "kube-restarts": lambda t, w: total("kube_pod_container_status_restarts_total", t, 3600, increase),
    "requests": lambda t, w: total("http_requests_total", t, w),
    "pods": lambda t, w: now("up", t, len, job="shop"),
    "targets-down": lambda t, w: now("up", t, lambda all: all.count(0)) or 0,
    "errors": lambda t, w: total("http_requests_total", t, w, increase, code="500"),
    "grpc-failures": lambda t, w: total("grpc_server_handled_total", t, w, grpc_code="Unavailable"),
    "worst-pod": lambda t, w: max(
        (rate(samples, t, w) for _, samples in of("http_requests_total", code="500") if rate(samples, t, w) is not None), default=None
    ),
}

told = {}
for one in ask["asks"]:
    values = [OBJECTIVES[one["id"]](at, one["window"]) for at in one["times"]]
    told[f'{one["id"]}/{one["window"]}'] = [None if value is None or value != value else value for value in values]
json.dump(told, sys.stdout)
