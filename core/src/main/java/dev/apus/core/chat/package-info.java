/** Conversations as texts: turns, and the template that writes them down. */
package dev.apus.core.chat;
