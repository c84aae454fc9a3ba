def freeze_backbone(model):
    for layer in model.backbone:
        for parameter in layer.parameters():
            parameter.requires_grad = False
            parameter.grad = None


def start_epoch(model):
    model.train()
    for layer in model.backbone:
        layer.eval()
