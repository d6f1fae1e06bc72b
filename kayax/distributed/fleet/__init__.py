"""``paddle.distributed.fleet`` for a single process."""
from kayax.absent import absent
from kayax.distributed.fleet import meta_parallel, utils
from kayax.distributed.fleet.roles import PaddleCloudRoleMaker, Role, UserDefinedRoleMaker, UtilBase
from kayax.distributed.fleet.strategy import DistributedStrategy
from kayax.distributed.fleet.topology import CommunicateTopology, HybridCommunicateGroup
from kayax.distributed.fleet.worker import Fleet, fleet

globals().update({name: getattr(fleet, name) for name in Fleet.PUBLIC})
util = UtilBase()
__getattr__ = absent("distributed.fleet")

__all__ = ["CommunicateTopology", "DistributedStrategy", "Fleet", "HybridCommunicateGroup", "PaddleCloudRoleMaker",
           "Role", "UserDefinedRoleMaker", "UtilBase", "meta_parallel", "utils", *Fleet.PUBLIC]
