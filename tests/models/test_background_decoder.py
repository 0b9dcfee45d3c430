import pytest
import torch

from echocardmae_mm.models import BackgroundTokenDecoder
from echocardmae_mm.utils.errors import UserError

SIZE = dict(img_size=32, patch_size=8, num_frames=4, tubelet_size=2)


def decoder(background):
    torch.manual_seed(0)
    model = BackgroundTokenDecoder(
        in_channels=24, embed_dims=12, depth=2, num_heads=3, background=background, **SIZE
    )
    model.init_weights()
    torch.nn.init.normal_(model.background_token)
    return model


@pytest.fixture
def places():
    order = torch.stack([torch.randperm(32), torch.randperm(32)])
    return order.split([6, 18, 8], dim=1)


@pytest.mark.parametrize('background', ['positional', 'single'])
def test_a_plain_sequence_gives_the_same(background, places):
    model, latent = decoder(background), torch.randn(2, 6, 24)
    visible, masked, outside = places
    predicted = model(latent, visible, masked, outside)
    assert predicted.shape == (2, 18, 384)
    for row in range(2):
        sequence = {}
        for k, place in enumerate(visible[row].tolist()):
            sequence[place] = model.encoder_to_decoder(latent[row, k]) + model.pos_embed[0, place]
        for place in masked[row].tolist():
            sequence[place] = model.mask_token[0, 0] + model.pos_embed[0, place]
        if background == 'single':
            sequence[-1] = model.background_token[0, 0]
        else:
            for place in outside[row].tolist():
                sequence[place] = model.background_token[0, 0] + model.pos_embed[0, place]
        places_in_order = sorted(sequence)
        tokens = torch.stack([sequence[place] for place in places_in_order])[None]
        for block in model.blocks:
            tokens = block(tokens)
        values = dict(zip(places_in_order, model.head(model.norm(tokens))[0]))
        expected = torch.stack([values[place] for place in masked[row].tolist()])
        torch.testing.assert_close(predicted[row], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('background', ['positional', 'single'])
def test_padding_does_not_change_predictions(background, places):
    model, latent = decoder(background), torch.randn(2, 6, 24)
    visible, masked, outside = places
    expected = model(latent, visible, masked, outside)
    filled = torch.cat((masked, outside), dim=1)
    valid = torch.arange(26).expand(2, -1) < 18
    actual = model(latent, visible, filled, outside[:, :0], valid)
    torch.testing.assert_close(actual[:, :18], expected, rtol=1e-6, atol=1e-6)


def test_the_tokens_start_as_documented():
    model = BackgroundTokenDecoder(embed_dims=192, **SIZE)
    assert not model.background_token.any()
    assert 0.01 < model.mask_token.std() < 0.03


def test_positions_are_computed_and_not_stored():
    assert 'pos_embed' not in decoder('single').state_dict()


def test_an_unknown_background_is_refused():
    with pytest.raises(UserError, match=r"'positional'.*or 'single'"):
        BackgroundTokenDecoder(background='none')
