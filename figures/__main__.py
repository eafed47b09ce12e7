"""`python -m figures`: draw every picture."""

from __future__ import annotations

import sys

from figures import (
    ablation,
    bbc_functions,
    bbc_slopes,
    bireal_estimators,
    capability,
    cost,
    engine,
    fda,
    magnitude,
    mismatch,
    pose,
    pose_shown,
    predictors,
    proxconnect,
    spectra,
    training_speed,
)
from figures.drawing import run

if __name__ == "__main__":
    own = {
        "spectra": spectra.draw,
        "bireal-estimators": bireal_estimators.draw,
        "capability": capability.draw,
        "magnitude": magnitude.draw,
        "cost": cost.draw,
        "engine": engine.draw,
        "ablation": ablation.draw,
        "mismatch": mismatch.draw,
        "predictors": predictors.draw,
        "bbc-slopes": bbc_slopes.draw,
        "bbc-functions": bbc_functions.draw,
        "pose": pose.draw,
        "pose-shown": pose_shown.draw,
        "training-speed": training_speed.draw,
    }
    sys.exit(run("figures", {**own, **fda.PICTURES, **proxconnect.PICTURES}))
