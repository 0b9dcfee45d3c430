import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from echocardmae_mm.draws import DrawKey, Stream, draw_uniform
from echocardmae_mm.torch_draws import draw_ranks

whole = st.integers(0, 2**63 - 1)


@given(
    st.lists(st.tuples(whole, whole, whole), min_size=1, max_size=4),
    st.sampled_from(Stream),
    st.integers(0, 9),
)
def test_equal_those_of_numpy_bit_by_bit(keys, stream, count):
    ranks = draw_ranks(torch.tensor(keys), stream, count)
    assert ranks.shape == (len(keys), count)
    expected = np.stack([draw_uniform(DrawKey(*key), stream, count) for key in keys])
    np.testing.assert_array_equal(ranks.numpy() * 2.0**-53, expected)
