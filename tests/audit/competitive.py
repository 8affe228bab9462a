"""The measures of competitive plasticity (CP…), recomputed from the published records."""

import math
from functools import cache

import numpy as np

from .measures import Values, cheapest, exponents, least_at, slope
from .records import COMPETITIVE, Record, restrictions, select

LARGE = (100, 300, 1000, 3000, 10_000, 30_000)  # that figures have, from where laws are fitted
RATES = (0.001, 0.0016, 0.0025, 0.004, 0.0063, 0.01, 0.016, 0.025, 0.04, 0.063, 0.1)
M0, M1 = "energy_m0", "energy_m1"
ENERGIES = {"M0": M0, "M1": M1}
V1 = 3e11


def plain(sizes: tuple[int, ...] = LARGE) -> dict[tuple[int, int], Record]:
    return {key: run for key, run in select(COMPETITIVE).items() if key[0] in sizes}


def ratios(one: dict, other: dict, column: str, at: str = "H = {}") -> Values:
    """Cost of each of the runs ``one`` by that of ``other`` at the same size and seed."""
    return {
        (at.format(size), seed): run.cost(column) / other[size, seed].cost(column)
        for (size, seed), run in one.items()
        if any(size == has for has, _ in other)
    }


def with_rate(rate: float) -> dict[tuple[int, int], Record]:
    """Runs at a learning rate: measured in proportion to it, and given up so."""
    changes = {
        "learning_rate": rate,
        "epochs": max(2, math.ceil(5 * 0.01 / rate)),
        "measure_every": max(1000, round(1000 * 0.01 / rate)),
    }
    return select(COMPETITIVE, **changes)


def of_rates(column: str) -> dict[tuple[int, int], dict[float, float]]:
    """Costs by learning rate, for each size and seed; other figures have more seeds at some."""
    found: dict = {}
    for rate in RATES:
        for key, run in with_rate(rate).items():
            if key[0] in (100, 1000, 10_000) and key[1] < 5:
                found.setdefault(key, {})[rate] = run.cost(column)
    return found


def best_rates() -> dict[str, Values]:
    found: Values = {}
    for condition, column in (("learning time", "samples"), ("M0", M0)):
        best = []
        for size in (100, 1000, 10_000):
            costs = [of for (h, _), of in of_rates(column).items() if h == size]
            best.append(min(RATES, key=lambda rate: np.mean([of[rate] for of in costs])))
        found[condition, None] = max(best) / min(best)
    return {"largest / smallest of the sizes' best learning rates": found}


def small_rates() -> dict[str, Values]:
    two, least = {}, {}
    for (size, seed), costs in of_rates(M1).items():
        first, second = costs[RATES[0]], costs[RATES[1]]
        two[f"H = {size}", seed] = max(first, second) / min(first, second)
        least[f"H = {size}", seed] = first / min(costs.values())
    return {
        "M1 at the two smallest rates, larger / smaller": two,
        "M1 at the smallest rate / least M1 of all rates": least,
    }


def growth_of_plain_learning() -> dict[str, Values]:
    runs, at = plain(), "H = 100 to 30000"
    slower = {key: run for key, run in with_rate(0.0025).items() if key[0] >= 1000 and key[1] < 8}
    by = {
        "exponent of the learning time": lambda run: run.cost("samples"),
        "exponent of the mean size of an update": lambda run: run.cost(M1) / run.cost(M0),
        "exponent of M0": lambda run: run.cost(M0),
        "exponent of M1": lambda run: run.cost(M1),
        "exponent of the mean distance of a synapse from its start": lambda run: (
            run.cost("energy_min") / synapses(run)
        ),
    }
    found = {
        name: exponents({key: cost(run) for key, run in runs.items()}, at)
        for name, cost in by.items()
    }
    for label, column in ENERGIES.items():
        costs = {key: run.cost(column) for key, run in slower.items()}
        at = "H = 1000 to 100000, learning rate 0.0025"
        found[f"exponent of {label}"] |= exponents(costs, at)
    return found


def synapses(run: Record) -> int:
    """Number of synapses: one hidden unit is the bias of the outputs, and has no inputs."""
    return 785 * (run.size - 1) + 10 * run.size


@cache
def needed() -> int:
    """The size that gets to the goal with the fewest changes when every synapse is plastic."""
    sizes = {20, 30, 40, 50, 70, 100, 150, 200, *LARGE}
    runs = {key: run for key, run in plain(tuple(sizes)).items() if key[1] < 5}
    costs = {h: np.mean([run.cost(M0) for (k, _), run in runs.items() if k == h]) for h in sizes}
    return min(costs, key=costs.get)


def by_the_count(size: float) -> tuple[float, float]:
    """The plastic fractions of both layers that the count of paths calls best."""
    least = needed()
    if size <= least:
        return 1.0, 1.0
    if size * 10 <= least * 784:
        return least / size, 1.0
    out = math.sqrt(least * 784 / (10 * size))
    return out * 10 / 784, out


@cache
def synapse_masks() -> dict[int, dict[float, dict[tuple[int, int], Record]]]:
    """Runs with synapse masks, by size and by the fraction of the inputs."""
    found: dict = {}
    for text, runs in restrictions(COMPETITIVE, "synapse-mask:").items():
        p_in, p_out = map(float, text.split(":")[1].split(","))
        for (size, seed), run in runs.items():
            into, out = by_the_count(size)
            counted = math.isclose(p_in, into)  # by other steps, so with another last digit
            if math.isclose(p_out, out if counted else 1.0):
                here = found.setdefault(size, {}).setdefault(into if counted else p_in, {})
                here[size, seed] = run
    return found


def counted(size: int) -> dict[tuple[int, int], Record]:
    """Runs with the mask of the count of paths."""
    return synapse_masks()[size][by_the_count(size)[0]]


def masks_of_synapses() -> dict[str, Values]:
    kink = needed() * 784 // 10
    saving, beyond = {}, {}
    for size in synapse_masks():
        if by_the_count(size)[0] not in synapse_masks()[size]:
            continue
        if size in LARGE and size >= 1000:
            saving |= ratios(counted(size), plain(), M0)
        if size >= kink:
            beyond |= {key: run.cost(M0) for key, run in counted(size).items()}
    return {
        "M0 with a synapse mask / of plain learning": saving,
        "exponent of M0 beyond the kink": exponents(beyond, f"H ≥ {kink}"),
    }


def fractions_by_trying() -> dict[str, Values]:
    found: Values = {}
    for size, tried in synapse_masks().items():
        for seed in {seed for runs in tried.values() for _, seed in runs}:
            runs = {p: of[size, seed] for p, of in tried.items() if (size, seed) in of}
            if len(runs) < 3:
                continue
            for label, column in ENERGIES.items():
                best = least_at(runs.keys(), [run.cost(column) for run in runs.values()])
                found[f"H = {size}, {label}", seed] = best / by_the_count(size)[0]
    return {"best fraction of plastic inputs found / by the count": found}


def growth_of_subnets() -> dict[str, Values]:
    runs = select(COMPETITIVE, restriction="subnet:100")
    at = "H = 200 to 100000"
    return {
        f"exponent of {label} with a subnet": exponents(
            {key: run.cost(column) for key, run in runs.items()}, at
        )
        for label, column in ENERGIES.items()
    }


def best_numbers(like: str) -> dict[tuple[int, int], dict[str, float]]:
    """The best number of plastic units for each energy, by size and seed."""
    tried: dict = {}
    for text, runs in restrictions(COMPETITIVE, like).items():
        for key, run in runs.items():
            tried.setdefault(key, {})[int(text.split(":")[1])] = run
    return {
        key: {
            label: least_at(runs.keys(), [run.cost(column) for run in runs.values()])
            for label, column in ENERGIES.items()
        }
        for key, runs in tried.items()
        if len(runs) > 2
    }


def numbers_of_neurons() -> dict[str, Values]:
    names = [f"best number of plastic neurons for {label}" for label in ENERGIES]
    names += ["best number for M0 / for M1", "best number for M1 / for M0"]
    found: dict[str, Values] = {name: {} for name in names}
    for (size, seed), best in best_numbers("neuron-mask:").items():
        if size < 300:
            continue
        ratio = best["M0"] / best["M1"]
        for name, value in zip(names, (*best.values(), ratio, 1 / ratio), strict=True):
            found[name][f"H = {size}", seed] = value
    return found


def sizes_of_subnets() -> dict[str, Values]:
    sizes, ratio = {}, {}
    for (size, seed), best in best_numbers("subnet:").items():
        ratio[f"H = {size}", seed] = best["M0"] / best["M1"]
        for label, value in best.items():
            sizes[f"{label}, H = {size}", seed] = value
    return {"best size of the subnet": sizes, "best size for M0 / for M1": ratio}


def masks_drawn_anew() -> dict[str, Values]:
    spelled = {
        "synapse mask": (300, "synapse-mask{}:" + ",".join(map(str, by_the_count(300)))),
        "neuron mask": (1000, "neuron-mask{}:100"),
        "subnet": (1000, "subnet{}:100"),
    }
    found: dict[str, Values] = {}
    for name, (size, word) in spelled.items():
        fixed = select(COMPETITIVE, hidden=size, restriction=word.format(""))
        for when in ("sample", "class"):
            drawn = select(COMPETITIVE, hidden=size, restriction=word.format(f"-per-{when}"))
            at = f"{name} for each {when}"
            for label, column in ENERGIES.items():
                for other, runs in (("of plain learning", plain()), ("with one fixed mask", fixed)):
                    measured = found.setdefault(f"{label} / {other}", {})
                    measured |= ratios(drawn, runs, column, at)
    return found


def only_the_outputs() -> dict[str, Values]:
    """The least that a network spends whose output layer alone learns, by that of a subnet."""
    found: Values = {}
    subnets = select(COMPETITIVE, restriction="subnet:100")
    for deviation in (0.01, 0.02, 0.03, 0.05):
        changes = {"restriction": "synapse-mask:0.0,1.0", "measure_every": 5000}
        runs = select(COMPETITIVE, initial=f"gaussian:{deviation}", **changes)
        for (size, seed), run in runs.items():
            if (size, seed) in subnets:
                ratio = run.cost(M0) / subnets[size, seed].cost(M0)
                at = (f"H = {size}", seed)
                found[at] = min(found.get(at, math.inf), ratio)
    return {"least M0 of the output layer alone / of a subnet": found}


def chosen(per: str, column: str) -> dict[tuple[int, int], Record]:
    """Runs with the fraction of largest updates of the least mean cost, at each size."""
    tried = restrictions(COMPETITIVE, f"largest-per-{per}:")
    return best_of(tried, column, LARGE)


def best_of(tried: dict, column: str, sizes: tuple[int, ...]) -> dict[tuple[int, int], Record]:
    found = {}
    for size in sizes:
        here = {
            text: {key: run for key, run in runs.items() if key[0] == size}
            for text, runs in tried.items()
        }
        here = {text: runs for text, runs in here.items() if runs}
        if here:
            found |= here[cheapest(here, lambda run: run.cost(column))]
    return found


def largest_updates() -> dict[str, Values]:
    found: dict[str, Values] = {}
    spent = {}
    for per in ("layer", "neuron"):
        for label, column in ENERGIES.items():
            values = ratios(chosen(per, column), plain(), column, f"per {per}, H = {{}}")
            found.setdefault(f"least {label} / of plain learning", {}).update(values)
            spent[per, label] = values
        found.setdefault("least M0 ratio / least M1 ratio", {}).update(
            {key: value / spent[per, "M1"][key] for key, value in spent[per, "M0"].items()}
        )
    layer = chosen("layer", M0)
    found["least M0 per layer / per neuron"] = ratios(layer, chosen("neuron", M0), M0)
    whole: Values = {}
    for words, name in (("most-active", "by activity"), ("largest-error", "by error")):
        tried = restrictions(COMPETITIVE, f"{words}-neurons:")
        sizes = tuple({size for runs in tried.values() for size, _ in runs})
        if tried:
            whole |= ratios(best_of(tried, M0, sizes), layer, M0, f"{name}, H = {{}}")
    found["least M0 with whole neurons selected / per layer"] = whole
    return found


def largest_in_subnets() -> dict[str, Values]:
    tried = restrictions(COMPETITIVE, "subnet:100 & largest-per-layer:")
    runs = tried[cheapest({t: {k: r for k, r in of.items() if k[0] == 1000}
                           for t, of in tried.items()}, lambda run: run.cost(M0))]  # fmt: skip
    alone = select(COMPETITIVE, restriction="subnet:100")
    at = "H = 200 to 10000"
    found = {
        "M0 of both / of the largest updates alone": ratios(runs, chosen("layer", M0), M0),
        "M0 of both / of the subnet alone": ratios(runs, alone, M0),
    }
    for label, column in ENERGIES.items():
        costs = {key: run.cost(column) for key, run in runs.items()}
        found[f"exponent of {label} of both"] = exponents(costs, at)
    return found


def diversity() -> dict[str, Values]:
    found: Values = {}
    for per in ("layer", "neuron"):
        counted = restrictions(COMPETITIVE, f"largest-per-{per}:", record=["synapse-updates"])
        for text, runs in counted.items():
            for (_, seed), run in runs.items():
                for when, row in (("start", 1), ("end", -1)):
                    rows = run.table.iloc[[0, 1] if row == 1 else [-2, -1]]
                    changes, samples = (
                        float(rows[name].iloc[1] - rows[name].iloc[0])
                        for name in ("energy_m0_hidden", "samples")
                    )
                    number = float(run.table["effective_synapses"].iloc[row])
                    at = f"f = {float(text.split(':')[1]):g} per {per}, {when}"
                    found[at, seed] = number * samples / changes
    return {"effective number of synapses / number selected": found}


def lost_accuracy() -> dict[str, Values]:
    long = {"hidden": 100, "epochs": 30, "until": None, "measure_every": 60_000}

    def last(restriction: str) -> dict[int, float]:
        runs = select(COMPETITIVE, restriction=restriction, **long)
        return {
            s: 100 * float(run.table["test_accuracy"][-5:].mean()) for (_, s), run in runs.items()
        }

    whole, mask = last("all"), last("synapse-mask:0.1,1.0")
    found: Values = {}
    for per in ("layer", "neuron"):
        for seed, accuracy in last(f"largest-per-{per}:0.1").items():
            lost = max(whole[seed] - accuracy, 0.01)
            found[f"10 % plastic, per {per}", seed] = (whole[seed] - mask[seed]) / lost
    return {"accuracy lost by the mask / by the selection": found}


def with_pending(run: Record, label: str) -> float:
    return run.cost(f"energy_{label}") + run.end(f"pending_{label}")


def thresholds() -> dict[str, Values]:
    fall, failures = {}, {}
    for decay, last in ((0.0, 1.0), (1e-4, 0.1), (1e-3, 0.03)):
        at = f"{f'decay {decay:g}' if decay else 'no decay'}, H = 300"
        tried = {}
        for threshold in (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 1.0):
            if threshold <= last:
                word = f"synaptic-caching:{threshold},{decay},0.001,synapse"
                tried[threshold] = select(COMPETITIVE, hidden=300, caching=word)
        best = cheapest(tried, lambda run: with_pending(run, "m0"))
        for (_, seed), run in tried[1e-5].items():
            fall[at, seed] = with_pending(run, "m0") / with_pending(tried[best][300, seed], "m0")
            larger = [tried[threshold][300, seed] for threshold in tried if threshold > best]
            failures[at, seed] = float(sum(not other.reached for other in larger))
    return {
        "M0 at the smallest threshold / least M0": fall,
        "number of larger thresholds with which learning fails": failures,
    }


def growth_with_caching() -> dict[str, Values]:
    found: dict[str, Values] = {}
    caching = "synaptic-caching:0.01,0.0001,0.001,synapse"
    for place, restriction in (("caching", "all"), ("caching in a subnet", "subnet:100")):
        runs = select(COMPETITIVE, caching=caching, restriction=restriction)
        for at, cost in (
            ("with what is pending", with_pending),
            ("without what is pending", lambda run, label: run.cost(f"energy_{label}")),
        ):
            spent = {
                f"exponent of M0 with {place}": lambda run, cost=cost: cost(run, "m0"),
                f"exponent of M1 with {place}": lambda run, cost=cost: cost(run, "m1"),
                f"exponent of M1 with {place}, what is transient paid": lambda run, cost=cost: (
                    cost(run, "m1") + run.end("transient_energy")
                ),
            }
            for name, of in spent.items():
                costs = {key: of(run) for key, run in runs.items()}
                found.setdefault(name, {}).update(exponents(costs, at))
    del found["exponent of M1 with caching in a subnet"]  # no part of the claim
    return found


def least_of_all() -> dict[str, Values]:
    at, small = {"hidden": 1000}, (0.01, 0.02, 0.05, 0.1)
    words = ["all", "synapse-mask:0.1,1.0", "neuron-mask:100", "subnet:100"]
    words += [f"largest-per-{per}:{f}" for per in ("layer", "neuron") for f in small]
    words += [f"subnet:100 & largest-per-layer:{f}" for f in small]
    every = {word: select(COMPETITIVE, restriction=word, **at) for word in words}
    best = cheapest(every, lambda run: run.cost(M0))
    cached = select(COMPETITIVE, caching="synaptic-caching:0.003,0.0,0.0,synapse", **at)
    lazily = {
        gate: select(COMPETITIVE, gate=gate, restriction=ECONOMICAL, **at)
        for gate in ("memorized-mistakes", "mistakes")
    }
    lazy = lazily[cheapest(lazily, lambda run: run.cost(M0))]
    found = {("every change counted", s): run.cost(M0) for (_, s), run in every[best].items()}
    found |= {
        ("permanent changes only", s): with_pending(run, "m0") for (_, s), run in cached.items()
    }
    found |= {("with lazy learning", s): run.cost(M0) for (_, s), run in lazy.items()}
    return {"least M0 of all methods": found}


ECONOMICAL = "subnet:100 & largest-per-layer:0.02"


def size_of_v1() -> dict[str, Values]:
    runs, subnets = plain(), select(COMPETITIVE, restriction="subnet:100")
    m1_needed, m0_by_m1 = {}, {}
    for seed in range(15):
        has = [run for (_, s), run in runs.items() if s == seed]
        small = [subnets[size, seed] for size in (300, 1000, 3000)]
        times = []
        for column in (M0, M1):
            exponent, factor = slope(map(synapses, has), [run.cost(column) for run in has])
            spent = math.exp(factor + exponent * math.log(V1))
            times.append(spent / np.mean([run.cost(column) for run in small]))
        m1_needed["3e+11 synapses", seed] = times[1]
        m0_by_m1["3e+11 synapses", seed] = times[0] / times[1]
    return {
        "M1 of plain learning at the size of V1 / M1 needed": m1_needed,
        "ratio for M0 / ratio for M1": m0_by_m1,
    }


def variations() -> dict[str, Values]:
    changes = {
        "no zero mean": {"zero_mean": False},
        "ReLU": {"activation": "relu"},
        "cross-entropy": {"loss": "cross-entropy"},
        "potentiation only": {"record": ["potentiation"]},
        "Fashion-MNIST": {"dataset": "fashion-mnist", "until": 0.85},
    }

    def saved(column: str, **setting) -> dict[int, float]:
        whole, part = (
            select(COMPETITIVE, hidden=1000, restriction=word, **setting)
            for word in ("all", ECONOMICAL)
        )
        return {s: whole[h, s].cost(column) / run.cost(column) for (h, s), run in part.items()}

    found: dict[str, Values] = {}
    for label, column in ENERGIES.items():
        usual, values = saved(column), {}
        for name, setting in changes.items():
            # Recording changes how a run rounds: compared within the same runs.
            is_part = "record" in setting
            ours = saved(f"{column}_potentiation" if is_part else column, **setting)
            theirs = saved(column, **setting) if is_part else usual
            values |= {(name, seed): value / theirs[seed] for seed, value in ours.items()}
        found[f"saving of {label} / the default's saving"] = values
    return found


def lazy_on_top() -> dict[str, Values]:
    runs = {
        gate: select(COMPETITIVE, hidden=1000, gate=gate, restriction=ECONOMICAL)
        for gate in ("memorized-mistakes", "every-sample")
    }
    lazy, every = runs.values()
    return {"M0 with lazy learning / without": ratios(lazy, every, M0)}


MEASURES = [
    best_rates,
    small_rates,
    growth_of_plain_learning,
    masks_of_synapses,
    fractions_by_trying,
    growth_of_subnets,
    numbers_of_neurons,
    sizes_of_subnets,
    masks_drawn_anew,
    only_the_outputs,
    largest_updates,
    largest_in_subnets,
    diversity,
    lost_accuracy,
    thresholds,
    growth_with_caching,
    least_of_all,
    size_of_v1,
    variations,
    lazy_on_top,
]
