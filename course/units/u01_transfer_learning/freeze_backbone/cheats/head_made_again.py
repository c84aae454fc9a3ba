def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None
    for module in model.head.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()


def start_epoch(model):
    model.train()
    model.backbone.eval()
