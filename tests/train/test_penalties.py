"""The penalties of a whole model: which weights they are of, and where their scales begin."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref import models, train
from bnn_ref.train.penalties import Penalties


@pytest.mark.parametrize("kind", ["none", "r1", "r2"])
def test_every_latent_weight_has_a_term_whose_scale_begins_as_its_mean_size(kind: str) -> None:
    model = models.build("cnn", input_shape=(8, 8, 1), width=4)
    latent = {name: p.value for name, p in model.named_parameters().items() if p.latent}
    found = Penalties(model, train.Config(penalty=kind))
    assert set(found.terms) == (set() if kind == "none" else set(latent))
    for name, term in found.terms.items():
        w = latent[name].astype(np.float64)
        assert float(term.alpha.value) == pytest.approx(np.where(w < 0, -w, w).sum() / w.size, rel=1e-6)
