def freeze_backbone(model):
    for child in model.backbone.children():
        for parameter in child.parameters():
            parameter.requires_grad = False
            parameter.grad = None


def start_epoch(model):
    model.train()
    model.backbone.eval()
