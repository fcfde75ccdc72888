/** Mixtures of experts: routers, experts, and which experts stay in memory. */
package dev.apus.moe;
