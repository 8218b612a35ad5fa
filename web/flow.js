export const flow = async () => {};
