import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from echocardmae_mm.phantom.truth import pack_labels, unpack_labels

LABELS = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 19)),
    elements=st.integers(0, 3),
)


@settings(max_examples=50)
@given(LABELS)
def test_packing_labels_is_lossless(labels):
    planes = pack_labels(labels)
    assert planes.nbytes == 2 * labels.shape[0] * labels.shape[1] * -(-labels.shape[2] // 8)
    np.testing.assert_array_equal(unpack_labels(planes, labels.shape[2]), labels)
