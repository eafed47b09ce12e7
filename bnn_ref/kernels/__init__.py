"""Kernels: signs in words, xnor-popcount products, float convolutions, pooling, element-wise passes.

`tiles` holds the innermost loop of products, of signs (`xnor`) and of floats in packed networks;
`correlation` that of float32 in training, `floats` its forward pass and gradients; `layout` says how their
operands lie. Other dtypes of `conv` are BLAS between two compiled copies. `signs` is binary convolution in
training. `expression` turns an element-wise formula into one pass over memory. `pack`, `pool`, `channels`,
`elementwise`, `normal`, `updates` and `warp` are compiled loops. `threads` shares the work of most among
threads, `memory` keeps what a step frees. `naive` defines all of them in plain NumPy: read it to learn what a
kernel computes. Nothing here knows the rest of the package.
"""

from bnn_ref.kernels import naive as naive
from bnn_ref.kernels.channels import moments as moments
from bnn_ref.kernels.channels import normalize as normalize
from bnn_ref.kernels.channels import normalize_grad as normalize_grad
from bnn_ref.kernels.channels import prelu as prelu
from bnn_ref.kernels.channels import prelu_grad as prelu_grad
from bnn_ref.kernels.conv import conv2d as conv2d
from bnn_ref.kernels.conv import conv2d_input_grad as conv2d_input_grad
from bnn_ref.kernels.conv import conv2d_weight_grad as conv2d_weight_grad
from bnn_ref.kernels.conv import linear as linear
from bnn_ref.kernels.conv import output_size as output_size
from bnn_ref.kernels.elementwise import fourier_slope as fourier_slope
from bnn_ref.kernels.expression import TwoValued as TwoValued
from bnn_ref.kernels.normal import normal_cdf as normal_cdf
from bnn_ref.kernels.pack import from_stream as from_stream
from bnn_ref.kernels.pack import pack_signs as pack_signs
from bnn_ref.kernels.pack import stream_bytes as stream_bytes
from bnn_ref.kernels.pack import to_stream as to_stream
from bnn_ref.kernels.pack import unpack_signs as unpack_signs
from bnn_ref.kernels.pack import word_count as word_count
from bnn_ref.kernels.pool import max_pool2d as max_pool2d
from bnn_ref.kernels.pool import sum_image as sum_image
from bnn_ref.kernels.pool import sum_pool2d as sum_pool2d
from bnn_ref.kernels.pool_places import max_pool2d_grad as max_pool2d_grad
from bnn_ref.kernels.pool_places import max_pool2d_places as max_pool2d_places
from bnn_ref.kernels.signs import SignImages as SignImages
from bnn_ref.kernels.xnor import threshold_pack as threshold_pack
from bnn_ref.kernels.xnor import xnor_conv2d as xnor_conv2d
from bnn_ref.kernels.xnor import xnor_linear as xnor_linear
