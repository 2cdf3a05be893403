import './c4.css';

export const version = __VERSION__ + ' c4';
