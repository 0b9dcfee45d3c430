"""Left ventricle, myocardium and left atrium on CAMUS (Table 3).

python tools/train.py configs/seg_camus.py

It starts as configs/seg_echonet.py does.
"""

_base_ = [
    '_base_/models/seg_vit_small.py',
    '_base_/datasets/camus_seg.py',
    '_base_/runtime_seg.py',
]

model = dict(decode_head=dict(num_classes=4))
