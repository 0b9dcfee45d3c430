"""Compute features of recordings with a trained or pretrained encoder."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

from echocardmae_mm.apis.framing import Framed
from echocardmae_mm.apis.inferencer import EchoInferencer, compare_features
from echocardmae_mm.apis.network import FEATURES, Network
from echocardmae_mm.apis.prediction import Prediction
from echocardmae_mm.apis.read_clips import read_clips


class EchoEmbedder(EchoInferencer):
    """Compute features of a recording, which is cropped and refused as by :class:`EchoInferencer`.

    The result has ``features``: float32 (M, C), the mean token of each clip, or (M, S, C), the mean
    token of each of its S time slots. They are those of ``model.extract_feat``.

    Args:
        bundle (str | PathLike): Folder of a bundle: a pretrained encoder, or a model for ejection
            fraction or diagnosis.
        device (str, optional): Device of the model. Defaults to None, a GPU if there is one.
        allow_synthetic_model (bool): See :class:`EchoInferencer`. Defaults to False.
        tokens (bool): Whether to keep the time slots apart. Defaults to False.

    Raises:
        UserError: If the bundle cannot be used, or ``tokens`` is set and the model has none.

    Example:
        >>> from echocardmae_mm.apis import EchoEmbedder
        >>> from echocardmae_mm.apis.example import BUNDLES
        >>> from echocardmae_mm.phantom import make_phantom
        >>> phantom = make_phantom(1, num_frames=80)
        >>> embed = EchoEmbedder(BUNDLES[0], allow_synthetic_model=True)
        >>> embed(phantom.frames, fps=phantom.fps).features.shape
        (5, 128)
    """

    tasks = ('features', 'ejection_fraction', 'diagnosis', 'view')

    def __init__(
        self,
        bundle: str | PathLike[str],
        device: str | None = None,
        allow_synthetic_model: bool = False,
        tokens: bool = False,
    ) -> None:
        super().__init__([bundle], device, allow_synthetic_model)
        (self.bundle,) = self.bundles.values()
        self._output = 'tokens' if tokens else FEATURES
        if tokens:
            self.bundle.network = Network(self.bundle.model, 'tokens').eval()

    def _predict(self, framings: Mapping[str, Framed], result: Prediction) -> None:
        clips = read_clips(self.bundle, framings[self.bundle.config.framing], result.fps)
        outputs = self.bundle.network(clips)
        result.features = outputs[self._output].cpu().numpy()
        compare_features(self.bundle, outputs.get(FEATURES), result)
