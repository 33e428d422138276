"""An ensemble on the devices: dealt to all of them, chunk by chunk where it does not fit."""

from dataclasses import replace
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Bool

from continua.core import State
from continua.methods import Method, Rodas5P
from continua.solver.adjoints import Discrete
from continua.solver.choice import proven_stiff
from continua.solver.events import Event, Happened
from continua.solver.integration import Question, in_turn, integrate
from continua.solver.members import Member, Members
from continua.solver.progress import chunk_by_chunk
from continua.solver.solution import Solution, Stats
from continua.solver.step_control import StepControl

DEALT = PartitionSpec("trajectory")


class Result(NamedTuple):
    """[trajectory, …]: `reached` is the time where it stopped, `stiff` whether it needed another method."""

    ys: State
    status: Any
    reached: Any
    stats: Stats
    stiff: Any
    events: Happened | None


class Plan(eqx.Module):
    """How every trajectory is solved; `lanes` of them step at once on each of the `devices`.

    `states` is how many states have those that may be given to `Rodas5P` where they prove stiff, 0 where none may.
    """

    method: Method
    step_control: StepControl
    stops: Array
    save: Any
    events: tuple[Event, ...]
    max_steps: int = eqx.field(static=True)
    max_events: int = eqx.field(static=True)
    lanes: int = eqx.field(static=True)
    devices: tuple[Any, ...] = eqx.field(static=True)
    states: int = eqx.field(static=True)

    def question(self, member: Member, lanes: int | None = None) -> Question:
        """What a trajectory asks."""
        equation, y0, _, args, key = member
        how = (self.method, self.step_control, self.stops, self.events, self.save, Discrete(), key)
        limits = self.max_steps, None, self.max_steps, self.max_events, lanes
        return Question(equation, y0, args, *how, *limits)

    def for_stiff(self) -> "Plan":
        """The same with a stiff method."""
        return replace(self, method=Rodas5P(), states=0)

    @property
    def placing(self) -> NamedSharding:
        """Trajectories on all devices."""
        return NamedSharding(Mesh(np.array(self.devices), ("trajectory",)), DEALT)


def all_at_once(members: Members, plan: Plan) -> Result:
    """The whole ensemble as a part of the program that JAX is tracing."""
    devices = len(plan.devices)
    if devices == 1:
        return _solved(members, plan, None)
    numbers = _dealt(0, -(-members.size // devices) * devices, devices)
    result = _solved(members.take(numbers), plan, jnp.asarray(numbers < members.size))
    return jax.tree.map(lambda x: x[np.argsort(numbers)[: members.size]], result)


def in_chunks(members: Members, plan: Plan, chunk: int, out: State | None, progress: bool) -> Result:
    """The ensemble, `chunk` by `chunk`; `out` is filled where it is given."""
    size, devices = members.size, len(plan.devices)
    if chunk >= size and devices == 1 and out is None:
        return _with_the_stiff(members, plan, None)
    result: Result | None = None
    for start in chunk_by_chunk(range(0, size, chunk), progress):
        numbers = _dealt(start, chunk, devices)
        there = numbers < size
        part = _with_the_stiff(members.take(numbers, plan.placing), plan, there)
        if result is None:
            result = cast(Result, jax.tree.map(lambda x: np.empty((size, *x.shape[1:]), x.dtype), part))
            result = result if out is None else result._replace(ys=out)
        for whole, piece in zip(jax.tree.leaves(result), jax.tree.leaves(part), strict=True):
            whole[numbers[there]] = np.asarray(piece)[there]
    assert result is not None
    return result


def _dealt(start: int, count: int, devices: int) -> np.ndarray:
    """The numbers of a chunk in the order in which the devices get them: neighbours often are of similar length."""
    return (start + np.arange(count)).reshape(-1, devices).T.reshape(-1)


def _with_the_stiff(members: Members, plan: Plan, there: np.ndarray | None) -> Result:
    """A chunk, and those that are proven stiff again, by a stiff method; only those that are `there` count."""
    result = _solved(members, plan, None if there is None else jnp.asarray(there))
    stiff = proven_stiff(result.status, plan.states) if plan.states else np.zeros(members.size, bool)
    if not stiff.any():
        return result
    numbers, devices = np.flatnonzero(stiff), len(plan.devices)
    padded = -(-(1 << int(len(numbers) - 1).bit_length()) // devices) * devices  # few sizes, few compilations
    chosen = np.append(numbers, np.full(padded - len(numbers), members.size))
    again = _solved(members.take(chosen, plan.placing), plan.for_stiff(), jnp.asarray(chosen < members.size))
    again = again._replace(stiff=jnp.ones_like(again.stiff))
    return jax.tree.map(lambda old, new: jnp.asarray(old).at[numbers].set(new[: len(numbers)]), result, again)


@cast(Any, eqx.filter_jit)(inline=True)
def _solved(members: Members, plan: Plan, there: Bool[Array, " trajectory"] | None) -> Result:
    """Every trajectory by lanes of its device; those that are not `there` take no time."""
    devices = len(plan.devices)
    lanes = plan.lanes if members.size > plan.lanes * devices > devices else None
    given, rest = eqx.partition((members.shared, plan), eqx.is_array)

    def share(own: list[Array], there: Array | None, given: Any) -> Result:
        shared, plan = eqx.combine(given, rest)

        def one(row: tuple[list[Array], Array | None]) -> Result:
            own, there = row
            member = Members([], shared, members.places, members.tree).join(own)
            dtype = jnp.finfo(jax.tree.leaves(member.y0)[0].dtype).dtype
            ts = jnp.asarray(member.ts, dtype)
            ts = ts if there is None else jnp.where(there, ts, ts[0])
            question = plan.question(member, lanes)
            ys, ending, happened = integrate(question, ts)
            solution = Solution(ts, ys, ending, question)
            return Result(ys, ending.status[0], ending.t[0], solution.stats, jnp.zeros((), bool), happened)

        rows = own, there
        return in_turn(one, rows) if plan.lanes == 1 else jax.vmap(one)(rows)

    if devices == 1:
        return share(members.own, there, given)
    spread = (DEALT, None if there is None else DEALT, PartitionSpec())
    mesh = plan.placing.mesh
    return jax.shard_map(share, mesh=mesh, in_specs=spread, out_specs=DEALT, check_vma=False)(members.own, there, given)
