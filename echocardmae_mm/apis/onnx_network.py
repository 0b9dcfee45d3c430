"""The network of a bundle in ONNX, run by onnxruntime."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from echocardmae_mm.utils.errors import UserError


class OnnxNetwork:
    """Runs an ONNX file as :class:`Network` runs a model, on the CPU.

    Args:
        path (Path): A file of :func:`export_onnx`.
        sha256 (str): Hash of the weights that it must hold.

    Attributes:
        outputs (list[str]): Names of the outputs.

    Raises:
        UserError: If onnxruntime is missing, or the file is missing, damaged or of other weights.
    """

    def __init__(self, path: Path, sha256: str) -> None:
        remedy = f'Make it with: echocardmae export {path.parent}'
        runtime = require_onnxruntime()
        if not path.is_file():
            raise UserError(f'{path}: no such file\n{remedy}')
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors
        try:
            self._session = runtime.InferenceSession(path, options, ['CPUExecutionProvider'])
        except Exception as error:  # onnxruntime has a dozen classes without a common one
            raise UserError(
                f'{path}: onnxruntime cannot read it ({type(error).__name__})\n{remedy}'
            ) from None
        metadata = self._session.get_modelmeta().custom_metadata_map
        if metadata.get('weights_sha256') != json.dumps(sha256):
            raise UserError(f'{path}: holds other weights than its bundle\n{remedy} --force')
        self._input = self._session.get_inputs()[0].name
        self.outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, inputs: Tensor) -> dict[str, Tensor]:
        """See :meth:`Network.forward`."""
        outputs = self._session.run(None, {self._input: inputs.numpy()})
        return dict(zip(self.outputs, map(torch.from_numpy, outputs)))


def require_onnxruntime() -> ModuleType:
    """Import onnxruntime, or say how to install it."""
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            'onnxruntime is missing\nInstall it with: pip install "echocardmae_mm[onnx]"'
        ) from None
    return onnxruntime
