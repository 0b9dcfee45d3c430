import numpy as np
import pytest
from skimage.draw import polygon

from echocardmae_mm.phantom import VARIANTS, make_phantom
from echocardmae_mm.utils.errors import UserError


@pytest.fixture(scope='module')
def phantoms():
    return [make_phantom([77, seed], num_frames=90) for seed in range(8)]


def test_the_same_seed_gives_the_same_pixels():
    first, second, other = (make_phantom(seed, num_frames=6) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.frames, second.frames)
    assert (first.frames[0] != other.frames[0]).mean() > 0.2


def test_ejection_fraction_matches_the_volumes(phantoms):
    for phantom in phantoms:
        edv, esv = phantom.volumes[phantom.ed], phantom.volumes[phantom.es]
        assert phantom.ef == 100.0 * (edv - esv) / edv
        assert phantom.ed < phantom.es
        assert phantom.volumes[phantom.ed] >= phantom.volumes[phantom.ed : phantom.es + 1].max()
        assert phantom.volumes[phantom.es] <= phantom.volumes[phantom.ed : phantom.es + 1].min()


@pytest.mark.parametrize('wanted', [8.0, 35.0, 62.0, 95.0])
def test_the_drawn_heart_has_the_wanted_ejection_fraction(wanted):
    phantom = make_phantom(3, ef=wanted, num_frames=80, heart_rate=60.0)
    assert phantom.ef == pytest.approx(wanted, abs=0.08 * (100 - wanted) + 1.5)


def test_volume_of_a_body_of_revolution_equals_its_traced_disks():
    """Simpson's disks from the traced chords and the pixels' size, against the listed volume."""
    found = 0
    for seed in range(20):
        phantom = make_phantom([4, seed], num_frames=50, heart_rate=90.0)
        if phantom.shape_class != 'revolution':
            continue
        found += 1
        for frame in (phantom.ed, phantom.es):
            traced = phantom.heart.tracing(frame) * phantom.spacing[0]
            length = np.hypot(*(traced[0, 2:] - traced[0, :2]))
            diameters = np.hypot(*(traced[1:, 2:] - traced[1:, :2]).T)
            disks = np.pi / 4.0 * (diameters**2).mean() * length / 1000.0
            assert disks == pytest.approx(phantom.volumes[frame], rel=0.05)
    assert found >= 2


def test_traced_area_matches_the_drawn_ventricle(phantoms):
    """Rasterised as every reader of EchoNet-Dynamic does it."""
    overlaps = []
    for phantom in phantoms:
        for frame in (phantom.ed, phantom.es):
            traced = phantom.heart.tracing(frame)
            assert traced.shape == (21, 4)
            x = np.concatenate([traced[1:, 0], traced[1:, 2][::-1]])
            y = np.concatenate([traced[1:, 1], traced[1:, 3][::-1]])
            mask = np.zeros((112, 112), bool)
            mask[polygon(np.rint(y), np.rint(x), mask.shape)] = True
            drawn = phantom.lv_masks[frame]
            overlaps.append((mask & drawn).sum() / (mask | drawn).sum())
    assert np.mean(overlaps) > 0.95
    assert min(overlaps) > 0.88


def test_the_ventricle_is_drawn_where_the_truth_says(phantoms):
    """Its cavity is darker than its wall, in most images by far."""
    contrasts = []
    for phantom in phantoms:
        grey = phantom.frames[phantom.ed].mean(axis=-1)
        labels = phantom.labels[phantom.ed]
        contrasts.append(grey[labels == 2].mean() / max(grey[labels == 1].mean(), 1.0))
    assert np.median(contrasts) > 1.5
    assert min(contrasts) > 1.0


def test_frames_are_black_outside_the_sector_and_within_the_template(phantoms):
    y, x = np.mgrid[:112, :112]
    template = (x + y > 67) & (x - y < 67)
    for phantom in phantoms:
        assert not phantom.frames[:, ~phantom.sector_mask].any()
        assert not (phantom.sector_mask & ~template).any()
        assert not (phantom.labels[phantom.ed] == 1)[~phantom.sector_mask].any()


def test_wall_keeps_its_volume_while_it_thickens(phantoms):
    """In the plane the wall's area grows by what shortening and thickening of an
    incompressible wall ask for, not more."""
    for phantom in phantoms:
        relaxed, contracted = ((phantom.labels[f] == 2).sum() for f in (phantom.ed, phantom.es))
        assert 0.9 < contracted / relaxed < 1.6


def test_an_infarction_stills_its_segments():
    phantom = make_phantom(8, infarction=True, num_frames=60, heart_rate=75.0)
    assert phantom.infarcted
    assert phantom.shape_class == 'free'
    still = np.array(phantom.patient.wall_motion) < 0.7
    assert 2 <= still.sum() <= 4
    heart = phantom.heart.heart
    s = np.array([0.83, 0.5, 0.17])
    before, after = (
        heart.half_widths(s, phantom.heart.contraction[f]) for f in (phantom.ed, phantom.es)
    )
    thinning = np.concatenate([before[0] - after[0], (before[1] - after[1])[::-1]])
    size = np.concatenate([before[0], before[1][::-1]])
    assert (thinning / size)[still].max() < (thinning / size)[~still].min()


@pytest.mark.parametrize('variant', sorted(VARIANTS))
@pytest.mark.parametrize('screen', ['whole', 'portable'])
def test_every_variant_shows_a_whole_sector(variant, screen):
    phantom = make_phantom(2, variant, screen=screen, num_frames=3)
    lit = phantom.frames.max(axis=(0, 3)) > 0
    assert (lit & phantom.sector_mask).sum() > 0.6 * phantom.sector_mask.sum()
    edge = np.concatenate([phantom.sector_mask[:, [0, -1]].ravel(), phantom.sector_mask[-1]])
    assert not edge.any()


def test_unknown_names_raise():
    with pytest.raises(UserError, match='vendor_b'):
        make_phantom(0, 'vendor_c')
    with pytest.raises(UserError, match='echonet'):
        make_phantom(0, screen='cinema')


def test_only_systole_runs_from_end_diastole_to_end_systole():
    whole = make_phantom(6, screen='whole', num_frames=90)
    half = make_phantom(6, screen='whole', num_frames=90, only_systole=True)
    assert (half.ed, half.es) == (0, whole.es - whole.ed)
    assert len(half.frames) == whole.es - whole.ed + 1
    np.testing.assert_array_equal(half.labels[0], whole.labels[whole.ed])
