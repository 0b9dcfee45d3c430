"""Segmentation of three structures on CAMUS phantoms, at the size of seg_phantom.py.

echocardmae phantoms --out data/phantom --camus 100 --seed 1 --datasets camus
python tools/train.py configs/phantom/seg_phantom_camus.py
"""

_base_ = 'seg_phantom.py'

frames = dict(type='echocardmae_mm.CAMUSSegDataset', data_root='data/phantom/CAMUS')
model = dict(decode_head=dict(num_classes=4))
train_dataloader = dict(batch_size=32, dataset=frames)
val_dataloader = dict(dataset=frames)
test_dataloader = dict(dataset=frames)
test_evaluator = dict(network_size=(56, 56))

train_cfg = dict(max_epochs=80, val_interval=20)
