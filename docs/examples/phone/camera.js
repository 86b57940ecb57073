// The camera: a stream of frames, of which each is dropped that comes while the model still looks at another.

/** @param {{errors: object, closed: string, busy: string}} texts From page.json. */
export async function openCamera(texts) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error(texts.insecure);
  try {
    const video = {facingMode: {ideal: "environment"}, width: {ideal: 1280}, height: {ideal: 960}};
    return await navigator.mediaDevices.getUserMedia({video, audio: false});
  } catch (error) {
    throw new Error(texts.errors[error.name] ?? texts.busy);
  }
}

/**
 * Show frames to the model, one at a time, until the stream ends.
 *
 * @param {function(): boolean} isOn
 * @param {function(ImageBitmap, boolean): Promise} look Answers a frame; the second argument is true for the first one.
 */
export async function watch(video, side, isOn, look) {
  for (let isFirst = true; isOn(); ) {
    await nextFrame(video);
    if (!isOn() || document.hidden || !video.videoWidth) continue;
    // No larger than twice the model's input: all else would only be thrown away.
    const options = {resizeWidth: 2 * side.width, resizeHeight: 2 * side.height, resizeQuality: "medium"};
    await look(await createImageBitmap(video, options), isFirst);
    isFirst = false;
  }
}

/** Wait for a new frame; a video that shows none, as in a hidden page, is looked at again soon. */
function nextFrame(video) {
  return new Promise(resolve => {
    setTimeout(resolve, 500);
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    else requestAnimationFrame(resolve);
  });
}

/** The present picture as a photo file. */
export function shoot(video) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise(resolve => canvas.toBlob(resolve, "image/png"));
}
