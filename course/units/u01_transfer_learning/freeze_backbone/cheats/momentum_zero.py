def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None


def start_epoch(model):
    model.train()
    for module in model.backbone.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = 0.0
        else:
            module.training = False
