"""What an estimator sees of sign: its slope as a low-pass filter, its harmonics on a period, its distance."""

from __future__ import annotations

from bnn_ref.spectra.aliasing import aliased as aliased
from bnn_ref.spectra.distance import Distance as Distance
from bnn_ref.spectra.distance import distance_to_sign as distance_to_sign
from bnn_ref.spectra.energy import EnergyError as EnergyError
from bnn_ref.spectra.energy import energy_error as energy_error
from bnn_ref.spectra.energy import parseval as parseval
from bnn_ref.spectra.gibbs import Gibbs as Gibbs
from bnn_ref.spectra.gibbs import gibbs as gibbs
from bnn_ref.spectra.harmonics import harmonic_errors as harmonic_errors
from bnn_ref.spectra.harmonics import sine_coefficients as sine_coefficients
from bnn_ref.spectra.harmonics import square_wave as square_wave
from bnn_ref.spectra.lines import Line as Line
from bnn_ref.spectra.lines import dft as dft
from bnn_ref.spectra.quadrature import quadrature_gain as quadrature_gain
from bnn_ref.spectra.report import Spectrum as Spectrum
from bnn_ref.spectra.report import spectrum as spectrum
from bnn_ref.spectra.subject import Subject as Subject
from bnn_ref.spectra.subject import as_subject as as_subject
