"""`benchmark NAME` (claims, runs, queue, audit, backtest), beside its floor: python -m tests.accept.benchmarks NAME."""

import sys
from typing import Any

from tests.accept.installation import installed, verdict

# Each stops at a thousand: so many entries of an index, whatever lies behind them.
COUNTERS_MS = 50


def main(which: str) -> None:
    with installed(workers=False) as made:
        got: dict[str, Any] = dict(made.manage_json("benchmark", which))
    if which == "claims":
        met = (
            got["twice"] == 0
            and got["skipped"] == 0
            and got["items"] >= 20_000
            and got["claimers"] >= 8
            and got["ratio"] >= 0.5
        )
        verdict(
            met,
            f"claims: {got['ours']:.0f} a second, bare loop {got['floor']:.0f}, ratio {got['ratio']:.2f} of 0.5;"
            f" {got['claimers']} claimers, {got['items']} items, twice {got['twice']}, skipped {got['skipped']}",
        )
    if which == "queue":
        flat = all(
            got[name] <= 2 * got[f"small_{name}"] + 2 for name in ("first_page_ms", "next_page_ms", "deep_page_ms")
        )
        flat = flat and got["counters_ms"] <= COUNTERS_MS and got["queries"] == got["small_queries"]
        verdict(
            got["ratio"] >= 0.5 and flat and got["pending"] >= 1_000_000 and got["decided"] >= 3_000_000,
            f"queue: {got['ours']:.0f} first pages a second, a bare Django view {got['floor']:.0f}, ratio"
            f" {got['ratio']:.2f} of 0.5; {got['pending']:,} wait, {got['decided']:,} decided; first page"
            f" {got['first_page_ms']:.1f} ms (of a hundredth {got['small_first_page_ms']:.1f}), next by key"
            f" {got['next_page_ms']:.1f} ({got['small_next_page_ms']:.1f}), one in the middle {got['deep_page_ms']:.1f}"
            f" ({got['small_deep_page_ms']:.1f}), all counters anew {got['counters_ms']:.1f} of {COUNTERS_MS}"
            f" ({got['small_counters_ms']:.1f}); {got['queries']} statements",
        )
    if which == "audit":
        met = got["ratio"] >= 0.9 and got["seal_per_s"] >= 20_000
        met = met and got["verify_100k_s"] < 5 and got["verify_1m_mb"] < 200
        verdict(
            met,
            f"audit: {got['ours']:.0f} transactions a second, {got['floor']:.0f} without a hash, ratio"
            f" {got['ratio']:.2f} of 0.9; {got['seal_per_s']} entries sealed a second of 20,000; 100,000 verified in"
            f" {got['verify_100k_s']:.1f} s of 5, 1,000,000 in {got['verify_1m_s']:.0f} s and"
            f" {got['verify_1m_mb']:.0f} MB of 200",
        )
    if which == "backtest":
        met = got["seconds"] < 5 and got["writes"] >= 100_000 and got["versions"] >= 30
        met = met and got["equal"] == got["replayed"] == got["backtests"] * 500
        met = met and min(got["rejected"], got["edited"], got["undone"]) > 0
        verdict(
            met,
            f"backtest: {got['writes']} past writes in {got['seconds']:.1f} s of 5, the slowest of"
            f" {got['backtests']}; {got['versions']} threshold versions, {got['edited']} edited, {got['rejected']}"
            f" rejected, {got['undone']} undone; {got['equal']} of {got['replayed']} judged the same by the gate",
        )
    verdict(
        got["ratio"] >= 0.2 and got["commits_per_run"] <= 5 and got["p95_ms"] <= 50,
        f"runs: {got['ours']:.1f} a second, bare Django {got['floor']:.1f}, ratio {got['ratio']:.2f} of 0.2;"
        f" {got['commits_per_run']:.2f} commits a run of 5; our part of a run p50 {got['p50_ms']:.0f} ms, p95"
        f" {got['p95_ms']:.0f} ms of 50; from intake to proposal p50 {got['way_p50_ms']:.0f} ms,"
        f" p95 {got['way_p95_ms']:.0f} ms",
    )


if __name__ == "__main__":
    main(sys.argv[1])
