# End-diastole and end-systole of both views of CAMUS: the official test patients, the others 9:1 by
# patient (section 4). In a test labels and predictions are compared at their native size.
_base_ = 'echonet_seg.py'

data_root = 'data/CAMUS'
frames = dict(type='echocardmae_mm.CAMUSSegDataset', data_root=data_root)

train_dataloader = dict(dataset=frames)
val_dataloader = dict(dataset=frames)
test_dataloader = dict(dataset=frames)
test_evaluator = dict(network_size=(112, 112))
