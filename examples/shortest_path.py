"""The shortest way through a maze, and through mud.

What spreads from a door at the speed v(x) arrives at a time T(x) with

    |∇T| = 1/v

and the quickest way to the door is to walk down T, against ∇T. In a wall the speed is 0, in mud it is small.

The trap: to search the grid as a graph (Dijkstra on its edges). A path along edges is too long by up to 41 per cent in
the open, however fine the grid. The eikonal equation knows the angles between.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import continua
from continua.methods import RK4
from continua.solver import Fixed
from continua.space import Grid, eikonal

jax.config.update("jax_enable_x64", True)

SIZE, DOOR, START = 160, (0.1, 0.1), (0.9, 0.93)
WALLS = ((0.25, 0.0, 0.7), (0.5, 0.3, 1.0), (0.75, 0.0, 0.75))  # x, from y, to y


def maze(x, y):
    mud = 1 - 0.8 * jnp.exp(-((x - 0.37) ** 2 + (y - 0.45) ** 2) / 0.02)
    for wall, low, high in WALLS:
        mud = jnp.where((jnp.abs(x - wall) < 0.02) & (y >= low) & (y <= high), 0.0, mud)
    return mud


def walked(grid, times, start, length):
    """Down the times at unit speed, by the slope of the four points around."""

    def downhill(t, place, args):
        q = jnp.clip((place * SIZE) - 0.5, 0, SIZE - 1.001)
        i, (a, b) = q.astype(int), q % 1
        corner = jax.lax.dynamic_slice(times, (i[0], i[1]), (2, 2))
        corner = jnp.where(jnp.isfinite(corner), corner, jnp.min(corner) + 4 / SIZE)  # a wall pushes back
        slope = jnp.stack(
            [(corner[1] - corner[0]) @ jnp.stack([1 - b, b]), jnp.stack([1 - a, a]) @ jnp.diff(corner).T[0]]
        )
        return -slope / jnp.maximum(jnp.linalg.norm(slope), 1e-9)

    ts = jnp.linspace(0.0, length, 2001)
    path = continua.solve(downhill, jnp.array(start), ts, method=RK4(), step_control=Fixed(0.25 / SIZE)).ys
    there = jnp.hypot(path[:, 0] - DOOR[0], path[:, 1] - DOOR[1]) < 1.5 / SIZE
    return path[: int(jnp.argmax(there)) + 1]


def main(path="shortest_path.png"):
    grid = Grid.cells((SIZE, SIZE))
    speed = grid.sample(maze)
    arrival = eikonal(grid, speed, DOOR)
    place = tuple(int(SIZE * x) for x in START)
    way = np.asarray(walked(grid, arrival.times, START, 4.0))
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    speeds = np.asarray(maze(*(0.5 * (way[1:] + way[:-1])).T))
    print(f"from the start to the door: {arrival.times[place]:.3f} s; walked down T: {np.sum(steps / speeds):.3f} s")
    slower = jax.jit(jax.grad(lambda v: eikonal(grid, v, DOOR).times[place]))(speed)
    print(f"all speeds 1 % higher: {0.01 * float(jnp.sum(slower * speed)):.4f} s, which is 1 % of the time")
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    x, y = (np.asarray(p).ravel() for p in grid.points())
    times = np.ma.masked_invalid(np.asarray(arrival.times))
    left.contourf(x, y, times.T, 30, cmap="viridis")
    left.plot(*way.T, "w", lw=2)
    left.set(title="when it arrives, and the quickest way", aspect="equal")
    shade = np.where(np.asarray(speed) > 0, -np.asarray(slower), np.nan).T
    right.imshow(shade, origin="lower", extent=(0, 1, 0, 1), vmin=0, vmax=np.nanpercentile(shade, 99.5), cmap="magma_r")
    right.set(title="where a higher speed would save time")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
