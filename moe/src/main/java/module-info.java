/** Mixtures of experts: routers, experts, and which experts stay in memory. */
module dev.apus.moe {
  requires transitive dev.apus.core;
}
