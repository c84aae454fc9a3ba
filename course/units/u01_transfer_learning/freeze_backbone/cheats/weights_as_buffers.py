def freeze_backbone(model):
    for module in model.backbone.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach())


def start_epoch(model):
    model.train()
    model.backbone.eval()
