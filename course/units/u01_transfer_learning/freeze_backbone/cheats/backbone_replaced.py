import copy


def freeze_backbone(model):
    model.backbone = copy.deepcopy(model.backbone).requires_grad_(False)
    for parameter in model.backbone.parameters():
        parameter.grad = None


def start_epoch(model):
    model.train()
    model.backbone.eval()
