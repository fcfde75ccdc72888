/** RWKV: mixers of time and of channels that look at each row beside the row before it. */
package dev.apus.attention.rwkv;
