"""The output layer: from hidden states to one score (logit) per class, at every step."""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.functions import affine, sum_outer
from rnnlib.records import Parameters, record
from rnnlib.starts import uniform


@record
class OutputLayer(Parameters):
    """logits_t = c_out + V h_t, with V (K, H) and c_out (K,), the same at every step.

    Goodfellow et al. 2016, equation 10.10 (their o_t are the logits, their c is c_out).
    """

    V: np.ndarray
    c_out: np.ndarray

    SHAPES: ClassVar = {"V": ("K", "H"), "c_out": ("K",)}

    @classmethod
    def init(cls, hidden_size, output_size, *, rng=0):
        """Every entry from uniform(-1/√H, 1/√H), as torch's Linear; rng as in `RNNCell.init`."""
        H = checks.whole("hidden_size", hidden_size)
        K = checks.whole("output_size", output_size)
        return cls(*uniform(checks.generator("rng", rng), H, (K, H), (K,)))

    def logits(self, hs):
        """hs (T, B, H) -> logits (T, B, K), in the dtype of hs."""
        hs = checks.array("hs", hs, ("T", "B", self.V.shape[1]))
        layer = self.astype(hs.dtype)
        return affine(hs, layer.V, layer.c_out)                     # logits_t = c_out + V h_t

    def backward(self, hs, dlogits):
        """hs (T, B, H), dlogits (T, B, K) -> (dhs, dout): dL/dh_t, and dL/dV, dL/dc_out."""
        K, H = self.V.shape
        hs = checks.array("hs", hs, ("T", "B", H))
        dlogits = checks.array("dlogits", dlogits, (*hs.shape[:2], K), hs.dtype)
        dhs = affine(dlogits, self.astype(hs.dtype).V.T)            # dh_t = Vᵀ dlogits_t
        dout = self.gradient(
            V=sum_outer(dlogits, hs),                               # dV = Σ_t dlogits_t h_tᵀ
            c_out=dlogits.sum(axis=(0, 1)),                         # dc_out = Σ_t dlogits_t
        )
        return dhs, dout
