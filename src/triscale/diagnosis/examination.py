"""The whole examination."""

from triscale.diagnosis.finding import Diagnosis
from triscale.diagnosis.kernels_found import compiled_kernels
from triscale.diagnosis.packages_found import extra_packages, required_packages
from triscale.diagnosis.processor_found import processor
from triscale.diagnosis.storage_found import storage
from triscale.diagnosis.torch_found import gpus, torch_package, torchvision_package


def diagnose() -> Diagnosis:
    """Look at the installation and the machine; nothing is changed, but that our kernels are compiled into the cache.

    It takes as long as importing torch, and a few seconds more where the kernels are compiled for the first time.
    """
    required = (*required_packages(), torch_package(), *torchvision_package())
    rest = (*extra_packages(), *processor(), *compiled_kernels(), *gpus(), *storage())
    return Diagnosis(findings=(*required, *rest))
