"""``paddle.geometric``: sums over segments, messages along the edges of graphs, and sampling of neighbours."""
from kayax.geometric.message_passing import send_u_recv, send_ue_recv, send_uv
from kayax.geometric.sampling import reindex_graph, reindex_heter_graph, sample_neighbors, weighted_sample_neighbors
from kayax.geometric.segments import segment_max, segment_mean, segment_min, segment_sum

__all__ = ["send_u_recv", "send_ue_recv", "send_uv", "segment_sum", "segment_mean", "segment_min", "segment_max",
           "reindex_graph", "reindex_heter_graph", "sample_neighbors", "weighted_sample_neighbors"]
