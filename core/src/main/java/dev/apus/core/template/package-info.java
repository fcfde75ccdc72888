/**
 * Chat templates: the part of the Jinja language that published models use, run in a sandbox.
 *
 * <p>What a template means is what jinja2 does with it in the settings of Hugging Face's
 * transformers: blocks are trimmed, values are Python's. A construct that is not known is an error
 * with its line, never left out.
 */
package dev.apus.core.template;
