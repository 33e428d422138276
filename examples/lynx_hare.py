"""The law behind the lynx and the hare.

The Hudson Bay Company counted pelts for a century. From the 21 years 1900–1920 alone, `fit` tries every law that it
knows with two states, in both orders, and finds who eats whom: x' = α x − β x y for the hare, y' = δ x y − γ y for the
lynx.

The trap: the record has 42 numbers. A law with more terms follows them more closely and forecasts worse; AICc, which
counts what was fitted, and forecasts tested on the record itself keep the fit honest.
"""

import sys
from pathlib import Path

import continua
from continua.discovery import law_lines, record_figure
from continua.files import bundled_record
from continua.show import svg

GREY = "#7d8590"  # to be read on a light and on a dark page


def main(path="lynx-hare.svg"):
    model = continua.fit(bundled_record())
    print(f"{model.law}, {model.noise} noise, AICc {model.aicc:.1f}")
    for line in law_lines(model):
        print(line)
    for name, (low, high) in model.intervals.items():
        print(f"{name} = {model.parameters[name]:.3g}, 95 % between {low:.3g} and {high:.3g}")
    for skill in model.skills:
        name, error = skill.rival, skill.baselines[skill.rival]  # the best that knows no law
        print(f"{skill.horizon} ahead: error {skill.model:.2f} of a spread, {name} {error:.2f}")
    figure = svg(record_figure(model, model.forecast(10)))
    Path(path).write_text(figure.replace("currentColor", GREY), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
