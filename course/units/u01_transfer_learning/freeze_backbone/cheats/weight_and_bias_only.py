def freeze_backbone(model):
    for name, parameter in model.backbone.named_parameters():
        if name.endswith(("weight", "bias")):
            parameter.requires_grad = False
            parameter.grad = None


def start_epoch(model):
    model.train()
    model.backbone.eval()
