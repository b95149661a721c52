"""The figures of operators as JSON."""

from __future__ import annotations

from typing import Any

from ...flow.figures import Chain, OperatorFigures

Snapshot = dict[str, Any]


def chain_snapshot(chain: Chain, rate: int) -> Snapshot:
    """One chain of one session. rate: of the sound that comes in; 0 if there was none yet."""
    return {
        "chain": chain.where,
        "source": chain.source,
        "target": chain.target,
        "blocks": chain.blocks,
        "out": chain.out,
        "dropped": chain.dropped,
        "empty": chain.empty,
        "faults": chain.faults,
        "resting": chain.resting,
        "load": round(chain.load.share, 5),
        "longest_ms": round(1000 * chain.load.longest, 3),
        "operators": _operators(chain.operators, rate),
    }


def _operators(operators: list[OperatorFigures], rate: int) -> list[Snapshot]:
    made = list[Snapshot]()
    for each in operators:
        made.append(
            {
                "operator": each.name,
                "rate": rate,
                "latency": each.latency(rate) if rate else 0,
                "held": each.held,
                "discontinuities": each.discontinuities,
                "late": each.late,
                "load": round(each.load.share, 5),
                "longest_ms": round(1000 * each.load.longest, 3),
            }
        )
        rate = each.rate(rate) if rate else 0
    return made
