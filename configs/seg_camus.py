"""Left ventricle, myocardium and left atrium on CAMUS (Table 3).

python tools/train.py configs/seg_camus.py

End-diastole and end-systole of both views: the official test patients, the others 9:1 by patient
(section 4). A test compares labels and predictions at their native size. It starts as
configs/seg_echonet.py does.
"""

_base_ = '_base_/runtime_seg.py'

from echocardmae_mm.recipes import segmentation

globals().update(
    segmentation(
        dataset=dict(type='echocardmae_mm.CAMUSSegDataset', data_root='data/CAMUS'),
        num_classes=4,
        at_network_size=True,
    )
)
