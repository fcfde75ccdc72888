/**
 * Text to token ids and back, as a checkpoint's {@code tokenizer.json} or GGUF header says.
 *
 * <p>Encoding goes through five small parts, each of which reads its own section of the file and
 * refuses what it does not know:
 *
 * <pre>
 * text ─ added tokens ─ normalizer ─ pre-tokenizer ─ model ─ template ─▶ ids
 * ids ─ tokens ─ decoder steps ─▶ text
 * </pre>
 *
 * <p>Decoding has one form, the streaming one; decoding a whole list is a stream that ends.
 */
package dev.apus.core.tokenizer;
